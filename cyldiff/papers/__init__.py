"""Papers rerun: what each of them prints, next to what the code gives. One package or module per paper."""
