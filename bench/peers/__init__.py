"""The stacks that people build by hand for the same job; they run in the environment .venv-bench."""
