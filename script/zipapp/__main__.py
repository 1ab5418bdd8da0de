"""The zipapp's entry. Every Python can read it, an old one only to say that it is too old."""

import sys

if sys.version_info < (3, 10):
    import versioner_ci_stand_in

    versioner_ci_stand_in.leave(
        "Python 3.10 or newer is needed, this is " + "%d.%d" % tuple(sys.version_info[:2]) + ": nothing is reported"
    )
else:
    import versioner_ci_zipapp

    versioner_ci_zipapp.main()
