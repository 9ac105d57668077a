result_type = map(list(number))
result      = { g = [1, 2] }

traversals {
  expect {
    ref = x.a
    from {
      line   = 2
      column = 14
      byte   = 25
    }
    to {
      line   = 2
      column = 17
      byte   = 28
    }
  }
  expect {
    ref = x.b
    from {
      line   = 3
      column = 14
      byte   = 44
    }
    to {
      line   = 3
      column = 17
      byte   = 47
    }
  }
}
