result = {
  if      = "yes"
  for     = "<b><a><b>"
  trimmed = "abc"
  escaped = "$${a} %%{b} é 😀 \t"
  heredoc = "    x=1\n    y=2\n"
}
