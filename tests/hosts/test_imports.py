from __future__ import annotations

import subprocess
import sys


def test_only_the_module_that_matches_is_imported() -> None:
    code = (
        "import sys\nfrom versioner_ci import hosts\nhosts.detect({'TF_BUILD': 'True'})\n"
        "print(sorted(m.rpartition('.')[2] for m in sys.modules if m.startswith('versioner_ci.hosts.')"
        " and '._' not in m), 'versioner_ci.git' in sys.modules, 'subprocess' in sys.modules, 'json' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown == "['azure'] False False False\n"
