"""The networks: readable cells, the classifier, pre-trained vectors."""
