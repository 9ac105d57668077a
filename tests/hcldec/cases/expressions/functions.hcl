greeting = greet("you")
sum      = add(1, 2)
first    = first_of("a", "b", "c")
rest     = first_of(["x", "y"]...)
