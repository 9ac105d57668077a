# Columns count grapheme clusters: the family of the first line is one.
diagnostics {
  error {
    # Invalid operand
    from {
      line   = 1
      column = 5
      byte   = 4
    }
    to {
      line   = 1
      column = 9
      byte   = 33
    }
  }
  error {
    # Invalid index
    from {
      line   = 2
      column = 10
      byte   = 47
    }
    to {
      line   = 2
      column = 13
      byte   = 50
    }
  }
  error {
    # Unknown variable
    from {
      line   = 3
      column = 5
      byte   = 55
    }
    to {
      line   = 3
      column = 12
      byte   = 62
    }
  }
  error {
    # Inconsistent conditional result types
    from {
      line   = 4
      column = 12
      byte   = 74
    }
    to {
      line   = 4
      column = 19
      byte   = 81
    }
  }
  error {
    # Invalid template interpolation value
    from {
      line   = 5
      column = 10
      byte   = 91
    }
    to {
      line   = 5
      column = 14
      byte   = 95
    }
  }
}
