# Shorter names for dev.py, which does the work and needs no make.
.PHONY: demo test long docs

demo:
	python3 dev.py demo

test:
	python3 dev.py test

long:
	python3 dev.py test --long

docs:
	python3 dev.py docs
