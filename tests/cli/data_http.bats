#!/usr/bin/env bats
# The data source http, against a server on the loopback device.

# shellcheck disable=SC2154 # set by the helpers and by run
load helpers

setup() {
  build_setup
  unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
  python3 "$here/tests/cli/echo.py" >port 3>&- &
  server=$!
  for _ in $(seq 100); do
    [ -s port ] && break
    sleep 0.1
  done
  url=http://127.0.0.1:$(cat port)
}

teardown() { kill "$server"; }

# asks BODY-OF-THE-BLOCK EXPRESSION: what the expression amounts to
asks() {
  printf 'data "http" "x" {\n%s\n}\n' "$1" >t.pkr.hcl
  "$slipway" console t.pkr.hcl <<<"$2"
}

@test "http: a GET, its answer and the headers" {
  run -0 asks "  url = \"$url/some?q=1\"" 'join(" ", [jsondecode(data.http.x.body).method, jsondecode(data.http.x.body).path])'
  [ "$output" = 'GET /some?q=1' ]
  run -0 asks "  url = \"$url/\"" 'join("; ", [data.http.x.response_headers.Content-Type, data.http.x.request_headers["X-Two"], data.http.x.url])'
  [ "$output" = "application/json; one, two; $url/" ]
  run -0 asks "  url = \"$url/\"" 'jsondecode(data.http.x.body).headers.user-agent'
  [[ $output == slipway/* ]]
}

@test "http: methods, headers and a body of one's own" {
  for method in GET POST PUT DELETE OPTIONS PATCH; do
    run -0 asks "  url = \"$url/\"
  method = \"$method\"
  request_body = \"some text\"
  request_headers = { X-Mine = \"a = b\", Accept = \"text/plain\", X-Empty = \"\" }" \
      'join("|", [for k in ["method", "body"] : jsondecode(data.http.x.body)[k]], [for k in ["x-mine", "accept", "x-empty"] : jsondecode(data.http.x.body).headers[k]])'
    [ "$output" = "$method|some text|a = b|text/plain|" ]
  done
  run -0 asks "  url = \"$url/\"
  method = \"POST\"" '[for k, v in jsondecode(data.http.x.body).headers : k if k == "content-type" || k == "expect"]'
  [ "$output" = '[]' ]
  run -0 asks "  url = \"$url/\"
  method = \"HEAD\"" 'join("", [data.http.x.body, data.http.x.response_headers.X-Two])'
  [ "$output" = 'one, two' ]
}

@test "http: redirects are followed" {
  run -0 asks "  url = \"$url/moved\"" 'join(" ", [jsondecode(data.http.x.body).path, can(data.http.x.response_headers.X-Of-The-Redirect)])'
  [ "$output" = '/there false' ]
}

@test "http: what goes wrong" {
  run -0 asks "  url = \"$url/nowhere\"" data.http.x
  [[ $output == *"data.http.x: $url/nowhere: the server answers with HTTP 404"* ]]
  run -0 asks "  url = \"$url/binary\"" data.http.x
  [[ $output == *"the answer is no text in UTF-8"* ]]
  run -0 asks '  url = "http://user:word@127.0.0.1:1/"' data.http.x
  [[ $output == *"data.http.x: http://127.0.0.1:1/: "*onnect* && $output != *'t: http://user:word'* ]]
  run -0 asks '  url = "ftp://127.0.0.1/"' data.http.x
  [[ $output == *"ftp"* ]]
  run -0 asks "  url = \"$url/\"
  request_headers = { X = \"a\\r\\nY: b\" }" data.http.x
  [[ $output == *"no header of HTTP"* ]]
  run -0 asks "  url = \"$url/\"
  method = \"FETCH\"" data.http.x
  [[ $output == *"FETCH"*GET*POST* ]]
  run -0 asks '  method = "GET"' data.http.x
  [[ $output == *"needs the key 'url'"*"<unknown>" ]]
}

@test "http: validate asks no server unless it is told to; build does" {
  cat >t.pkr.hcl <<END
data "http" "x" {
  url = "$url/"
}
source "null" "n" {
  communicator = "none"
}
build {
  sources = ["source.null.n"]
  provisioner "shell-local" {
    inline = ["echo it was \${jsondecode(data.http.x.body).method}"]
  }
}
END
  run -0 build t.pkr.hcl
  [[ $output == *"it was GET"* ]]
  run -0 "$slipway" validate -evaluate-datasources t.pkr.hcl
  sed -i 's|url = .*|url = "http://127.0.0.1:1/"|' t.pkr.hcl
  run -0 "$slipway" validate t.pkr.hcl
  run -1 "$slipway" validate -evaluate-datasources t.pkr.hcl
}
