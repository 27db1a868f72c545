"""How sure a number is: a second look at every lesion, its doubts in words, intervals around its volumes."""
