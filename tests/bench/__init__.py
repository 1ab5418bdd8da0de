"""Speed and memory of the installed command, as paired ratios in one run."""
