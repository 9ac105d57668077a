diagnostics {
  error {
    # Incorrect attribute value type
    from {
      line   = 5
      column = 5
      byte   = 54
    }
    to {
      line   = 5
      column = 10
      byte   = 59
    }
  }
  error {
    # Incorrect attribute value type
    from {
      line   = 1
      column = 5
      byte   = 4
    }
    to {
      line   = 1
      column = 16
      byte   = 15
    }
  }
  error {
    # Incorrect attribute value type
    from {
      line   = 2
      column = 5
      byte   = 20
    }
    to {
      line   = 2
      column = 16
      byte   = 31
    }
  }
  error {
    # Incorrect attribute value type
    from {
      line   = 3
      column = 5
      byte   = 36
    }
    to {
      line   = 3
      column = 10
      byte   = 41
    }
  }
  error {
    # Incorrect attribute value type
    from {
      line   = 4
      column = 5
      byte   = 46
    }
    to {
      line   = 4
      column = 8
      byte   = 49
    }
  }
}
