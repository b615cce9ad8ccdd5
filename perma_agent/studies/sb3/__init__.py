"""Study of the plug-in: what a policy gains and loses by seeing through a VASE, and how it bears being killed."""
