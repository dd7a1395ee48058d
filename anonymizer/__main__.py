"""`python -m anonymizer`: the same as the command `anonymize`."""

from anonymizer.cli.main import main

if __name__ == "__main__":
    main()
