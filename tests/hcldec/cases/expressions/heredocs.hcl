v0 = <<EOT
a
EOT
v1 = <<-EOT
  a
   b
  EOT
v2 = <<-EOT
  a

   b
  EOT
v3 = <<EOT
EOT
v4 = <<-EOT
    ${1}
  b
EOT
v5 = <<-EOT
    %{ if true }
      x
    %{ endif }
EOT
v6 = <<EOT
%{ for x in [1, 2] ~}
${x}
%{ endfor ~}
EOT
v7 = <<EOT
a\nb "q" \\ $${x} %%{y}
EOT
