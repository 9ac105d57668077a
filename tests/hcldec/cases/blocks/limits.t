# Too few, too many, twice, not at all.
diagnostics {
  error {
    # Insufficient a blocks
    from {
      line   = 1
      column = 1
      byte   = 0
    }
    to {
      line   = 1
      column = 1
      byte   = 0
    }
  }
  error {
    # Missing d block
    from {
      line   = 1
      column = 1
      byte   = 0
    }
    to {
      line   = 1
      column = 1
      byte   = 0
    }
  }
  error {
    # Too many b blocks
    from {
      line   = 3
      column = 3
      byte   = 12
    }
    to {
      line   = 3
      column = 3
      byte   = 12
    }
  }
  error {
    # Duplicate c block
    from {
      line   = 5
      column = 1
      byte   = 20
    }
    to {
      line   = 5
      column = 2
      byte   = 21
    }
  }
}
