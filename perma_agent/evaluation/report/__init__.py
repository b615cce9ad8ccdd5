"""The report: figures as pure functions of data, and the self-contained page that holds them."""
