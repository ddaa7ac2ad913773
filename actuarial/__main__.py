"""``python -m actuarial`` is the ``actuarial`` command."""

from actuarial.cli import main

if __name__ == "__main__":
    main()
