result = { a = 3, b = [], c = { k = [1, 2], plain = 1 }, d = ["n"] }

traversals {
  expect {
    ref = var.x["y"].z[0]
    from {
      line   = 1
      column = 5
      byte   = 4
    }
    to {
      line   = 1
      column = 20
      byte   = 19
    }
  }
  expect {
    ref = var.list
    from {
      line   = 1
      column = 23
      byte   = 22
    }
    to {
      line   = 1
      column = 31
      byte   = 30
    }
  }
  expect {
    ref = var.i
    from {
      line   = 1
      column = 32
      byte   = 31
    }
    to {
      line   = 1
      column = 37
      byte   = 36
    }
  }
  expect {
    ref = local.m
    from {
      line   = 2
      column = 18
      byte   = 57
    }
    to {
      line   = 2
      column = 25
      byte   = 64
    }
  }
  expect {
    ref = other.y
    from {
      line   = 2
      column = 41
      byte   = 80
    }
    to {
      line   = 2
      column = 48
      byte   = 87
    }
  }
  expect {
    ref = key.name
    from {
      line   = 3
      column = 19
      byte   = 117
    }
    to {
      line   = 3
      column = 27
      byte   = 125
    }
  }
  expect {
    ref = arg.a
    from {
      line   = 3
      column = 34
      byte   = 132
    }
    to {
      line   = 3
      column = 39
      byte   = 137
    }
  }
  expect {
    ref = arg.b
    from {
      line   = 3
      column = 41
      byte   = 139
    }
    to {
      line   = 3
      column = 46
      byte   = 144
    }
  }
  expect {
    ref = src
    from {
      line   = 4
      column = 5
      byte   = 155
    }
    to {
      line   = 4
      column = 8
      byte   = 158
    }
  }
}
