"""Refuse skipped tests: .ci/run installs what they need; only what cannot be installed is a reason.

python .ci/skips.py junit.xml
"""

import sys
import xml.etree.ElementTree as ET

ALLOWED = ("shared data is absent", "this account may mount no file system")


def refused(report: str) -> list[str]:
    """Return a line for every skipped test of a JUnit report whose reason is not an allowed one."""
    lines = []
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it just now
        for skip in case.iter("skipped"):
            # A module skipped whole has its reason in the element's text, not in its message.
            reason = f"{skip.get('message', '')} {skip.text or ''}".strip()
            if skip.get("type") != "pytest.xfail" and not any(allowed in reason for allowed in ALLOWED):
                lines.append(f"{case.get('classname')}::{case.get('name')} was skipped: {reason}")
    return lines


def main() -> int:
    """Print what was refused and return the exit code."""
    lines = refused(sys.argv[1])
    sys.stderr.writelines(f"{line}\n" for line in lines)
    if lines:
        sys.stderr.write(f"CI allows a test to be skipped only because {' or '.join(ALLOWED)}.\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
