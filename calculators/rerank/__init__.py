"""Documents in the order of their relevance to a query: the nodes of graphs/rerank.pbtxt."""
