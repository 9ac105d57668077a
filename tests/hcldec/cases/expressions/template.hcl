v = {
  if      = "%{ if true }yes%{ else }no%{ endif }"
  for     = "%{ for n in names }<${n}>%{ endfor }"
  trimmed = "a ${~ "b" ~} c"
  escaped = "$${a} %%{b} \u00e9 \U0001F600 \t"
  heredoc = <<-EOT
    %{ for p in people ~}
    ${p.name}=${p.age}
    %{ endfor ~}
  EOT
}
