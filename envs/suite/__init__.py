"""Our own levels: three tasks, each indoors and outdoors, the same rules, actions and factors in both."""
