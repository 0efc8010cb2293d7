"""`python -m mesabench` does what the program `mesabench` does."""

from mesabench.cli import main

if __name__ == "__main__":
    main()
