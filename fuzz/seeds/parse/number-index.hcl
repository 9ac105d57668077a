a = 2  .3 .3 # index of a number
