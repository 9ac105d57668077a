# Each keeps a type of its own.
result = [1, ["a", true], null]
