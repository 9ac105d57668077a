/* Functions of text: strings, formats, encodings, patterns. What Packer's console has
 * too stands in tests/oracle/expressions; here: documented examples, newer functions, messages, limits. */
#include "functest.h"

static void test_strings(void **state)
{
        static const struct expectation rows[] = {
                {"chomp(\"hello\\r\\n\")", "hello"},
                {"indent(2, \"a\\nb\")", "a\n  b"},
                {"join(\", \", [\"foo\", \"bar\"])", "foo, bar"},
                {"join(\",\", [\"a\", null])",
                 "Error: argument 'lists' of join(): element 1 is null, which cannot be joined"},
                {"join(\",\")", "Error: join(): at least one list is needed"},
                {"lower(\"HELLO\")", "hello"},
                {"upper(\"hello\")", "HELLO"},
                {"title(\"hello world\")", "Hello World"},
                {"replace(\"1 + 2 + 3\", \"+\", \"-\")", "1 - 2 - 3"},
                {"split(\",\", \"a,b\")", "[ \"a\", \"b\", ]"},
                {"length(replace(\"a\\u0000b\", \"\", \"-\"))", "7"},
                {"length(split(\"\", \"a\\u0000b\"))", "3"},
                {"trim(\"\\u0000a\\u0000\", \"\\u0000\")", "a"},
                {"strrev(\"\360\237\221\250\342\200\215\360\237\221\251\342\200\215\360\237\221\247a\")",
                 "a\360\237\221\250\342\200\215\360\237\221\251\342\200\215\360\237\221\247"},
                {"substr(\"hello world\", 1, 4)", "ello"},
                {"substr("
                 "\"\360\237\221\250\342\200\215\360\237\221\251\342\200\215\360\237\221\247\360\237\207\251\360\237"
                 "\207\252a\", 1, 1)",
                 "\360\237\207\251\360\237\207\252"},
                {"trim(\"?!hello?!\", \"!?\")", "hello"},
                {"trimprefix(\"helloworld\", \"hello\")", "world"},
                {"trimsuffix(\"helloworld\", \"world\")", "hello"},
                {"trimspace(\"  hello\\n\\n\")", "hello"},
                {"startswith(\"hello world\", \"hello\")", "true"},
                {"startswith(\"hello world\", \"world\")", "false"},
                {"startswith(\"hello\", \"hello world\")", "false"},
                {"endswith(\"hello world\", \"world\")", "true"},
                {"endswith(\"hello world\", \"hello\")", "false"},
                {"endswith(\"\", \"\")", "true"},
                {"strcontains(\"hello world\", \"wor\")", "true"},
                {"strcontains(\"hello world\", \"wod\")", "false"},
                {"strcontains(1, \"x\")", "false"},
                {"urlencode(\"a b&c\")", "a+b%26c"},
        };

        (void)state;
        CHECK(rows);
}

static void test_formats(void **state)
{
        static const struct expectation rows[] = {
                {"format(\"There are %d lights\", 4)", "There are 4 lights"},
                {"format(\"%d\", \"x\")", "Error: format(): unsupported value for \"%d\" at 0: number required"},
                {"format(\"%d\", 1.5)", "Error: format(): unsupported value for \"%d\" at 0: an integer is required"},
                {"format(\"%s\", [1])", "Error: format(): unsupported value for \"%s\" at 0: string required"},
                {"format(\"%s\", null)",
                 "Error: format(): unsupported value for \"%s\" at 0: null value cannot be formatted"},
                {"format(\"%s %s\", \"a\")",
                 "Error: format(): not enough arguments for \"%s\" at 3: need index 2 but have 1 total"},
                {"format(\"%s\", \"a\", \"b\")",
                 "Error: argument 'args' of format(): too many arguments; only 1 used by format string"},
                {"format(\"a\", 1)",
                 "Error: argument 'args' of format(): too many arguments; no verbs in format string"},
                {"format(\"%y\", 1)",
                 "Error: argument 'format' of format(): unsupported format verb 'y' in \"%y\" at offset 0"},
                {"format(\"%\")", "Error: argument 'format' of format(): invalid format string starting at offset 1"},
                {"format(\"%\303\251\", 1)",
                 "Error: argument 'format' of format(): unrecognized format character '\303\251' at offset 1"},
                {"format(\"%[0]s\", 1)",
                 "Error: argument 'format' of format(): unrecognized format character '0' at offset 2"},
                {"format(\"%[1s\", 1)",
                 "Error: argument 'format' of format(): unrecognized format character 's' at offset 3"},
                {"format(\"%*d\", 5, 3)",
                 "Error: argument 'format' of format(): unrecognized format character '*' at offset 1"},
                {"format(\"%999999999d\", 1)",
                 "Error: argument 'format' of format(): the number at offset 1 is too large: at most 1000000"},
                {"format(\"%.9999999f\", 1)",
                 "Error: argument 'format' of format(): the number at offset 2 is too large: at most 1000000"},
                {"format(\"%[99999999999]s\", \"a\")",
                 "Error: argument 'format' of format(): the number at offset 2 is too large: at most 100000"},
                {"format(\"%v\", pow(10, 400))", "+Inf"},
                {"format(\"%d\", pow(10, 400))",
                 "Error: format(): unsupported value for \"%d\" at 0: an integer is required"},
                {"format(\"%6.2f|%+f|% 8f|\", pow(10, 400), pow(10, 400), log(0, 10))", "  +Inf|+Inf|    -Inf|"},
                {"format(\"%#v\", pow(10, 400))",
                 "Error: format(): unsupported value for \"%#v\" at 0: infinity is no JSON"},
                {"formatlist(\"%s-%s\", [\"a\"], [\"b\", \"c\"])",
                 "Error: argument 'args' of formatlist(): argument 2 has length 2, which is inconsistent with argument "
                 "1 of length 1"},
                {"formatlist(\"%d\", [1, \"x\"])",
                 "Error: formatlist(): element 1: unsupported value for \"%d\" at 0: number required"},
                {"formatlist(\"%s, %s!\", \"Salutations\", [\"Valentina\", \"Ander\"])",
                 "[ \"Salutations, Valentina!\", \"Salutations, Ander!\", ]"},
        };

        (void)state;
        CHECK(rows);
}

static void test_patterns(void **state)
{
        static const struct expectation rows[] = {
                {"regex(\"[a-z]+\", \"53453453.345345aaabbbccc23454\")", "aaabbbccc"},
                {"regex(\"(\\\\d\\\\d\\\\d\\\\d)-(\\\\d\\\\d)-(\\\\d\\\\d)\", \"2019-02-01\")",
                 "[ \"2019\", \"02\", \"01\", ]"},
                {"regex(\"^(?:(?P<scheme>[^:/?#]+):)?(?://(?P<authority>[^/?#]*))?\", \"https://terraform.io/docs/\")",
                 "{ \"authority\" = \"terraform.io\" \"scheme\" = \"https\" }"},
                {"regex(\"(x)(y)?\", \"x\")", "[ \"x\", null, ]"},
                {"regex(\"(?<name>x)\", \"x\")", "{ \"name\" = \"x\" }"},
                {"regex(\"x\", \"abc\")", "Error: regex(): the pattern matches no part of the text"},
                {"regexall(\"[a-z]+\", \"1234abcd5678efgh9\")", "[ \"abcd\", \"efgh\", ]"},
                {"regexall(\"[a-z]+\", \"123456789\")", "[]"},
                {"regexall(\"(a)(b)?\", \"abac\")", "[ [ \"a\", \"b\", ], [ \"a\", null, ], ]"},
                {"regexall(\"(?P<k>\\\\w)=(?P<v>\\\\d)\", \"a=1 b=2\")",
                 "[ { \"k\" = \"a\" \"v\" = \"1\" }, { \"k\" = \"b\" \"v\" = \"2\" }, ]"},
                {"regexall(\"\", \"\303\244b\")", "[ \"\", \"\", \"\", ]"},
                {"regexall(\"a|\", \"baa\")", "[ \"\", \"a\", \"a\", ]"},
                {"regexall(\"^.\", \"abc\")", "[ \"a\", ]"},
                {"regexall(\"(?m)^.\", \"a\\nb\\n\")", "[ \"a\", \"b\", ]"},
                {"regex_replace(\"hello\", \"(l+)\", \"<$1>\")", "he<ll>o"},
                {"regex_replace(\"hello\", \"l\", \"$$1\")", "he$1$1o"},
                {"regex(\"(a+)+$\", \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\")",
                 "Error: regex(): the pattern takes too long on this text; avoid repetitions inside repetitions, such "
                 "as \"(a+)+\""},
                {"regex(\"((((((a{1000}){1000}){1000}){1000}){1000}){1000})\", \"a\")",
                 "Error: argument 'pattern' of regex(): this is no pattern of RE2: regular expression is too large"},
                {"regex(\"(?P<a>x)(y)\", \"xy\")",
                 "Error: argument 'pattern' of regex(): groups with names and groups without cannot stand in one "
                 "pattern; write (?:...) for a group whose text is not needed"},
                {"length(regexall(\".\", join(\"\", [for i in range(1000) : "
                 "\"\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\303\244\"])))",
                 "10000"},
        };

        (void)state;
        CHECK(rows);
}

static void test_re2(void **state)
{
        static const struct expectation rows[] = {
                {"regex(\"(a\", \"abc\")",
                 "Error: argument 'pattern' of regex(): this is no pattern of RE2: missing closing parenthesis"},
                {"regex(\"a)\", \"abc\")",
                 "Error: argument 'pattern' of regex(): this is no pattern of RE2: unmatched closing parenthesis"},
                {"regex(\"(?P<1>a)\", \"a\")", "{ \"1\" = \"a\" }"},
                {"regex(\"(?P<>a)\", \"a\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: a "
                                              "group's name is made of letters, digits and underscores: \"(?P<\""},
                {"regex(\"(?P<a-b>a)\", \"a\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: a "
                                                 "group's name is made of letters, digits and underscores: \"(?P<a\""},
                {"regexall(\"\\\\b*a\", \"aa\")", "[ \"a\", \"a\", ]"},
                {"regexall(\"(?:^){2}a\", \"aa\")", "[ \"a\", ]"},
                {"regexall(\"a$?\", \"aa\")", "[ \"a\", \"a\", ]"},
                {"regex(\"a\\\\ b\\\\_c\", \"a b_c\")", "a b_c"},
                {"regex(\"[a\", \"abc\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: a class "
                                           "in brackets is not closed: \"[a\""},
                {"regex(\"*a\", \"abc\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: "
                                           "quantifier does not follow a repeatable item"},
                {"regex(\"a++\", \"aa\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: a "
                                           "repetition cannot be repeated: \"+\""},
                {"regex(\"a**\", \"aa\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: a "
                                           "repetition cannot be repeated: \"*\""},
                {"regex(\"a{2,1}\", \"aa\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: counts "
                                              "go up to 1000, the smaller one first: \"{2,1}\""},
                {"regex(\"a{1001}\", \"aa\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: "
                                               "counts go up to 1000, the smaller one first: \"{1001}\""},
                {"regex(\"a(?=b)\", \"ab\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: no "
                                              "such group (there is no lookaround): \"(?=\""},
                {"regex(\"(?<=a)b\", \"ab\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: no "
                                               "such group (there is no lookaround): \"(?<\""},
                {"regex(\"(?<!a)b\", \"ab\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: no "
                                               "such group (there is no lookaround): \"(?<\""},
                {"regex(\"(?>a)\", \"ab\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: no such "
                                             "group (there is no lookaround): \"(?>\""},
                {"regex(\"(?#x)a\", \"ab\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: no "
                                              "such group (there is no lookaround): \"(?#\""},
                {"regex(\"(?x)a\", \"ab\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: no such "
                                             "group (there is no lookaround): \"(?x\""},
                {"regex(\"a(?R)?\", \"aa\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: no "
                                              "such group (there is no lookaround): \"(?R\""},
                {"regex(\"(?1)(a)\", \"aa\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: no "
                                               "such group (there is no lookaround): \"(?1\""},
                {"regex(\"(?(1)a|b)\", \"aa\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: no "
                                                 "such group (there is no lookaround): \"(?(\""},
                {"regex(\"(?|a)\", \"aa\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: no such "
                                             "group (there is no lookaround): \"(?|\""},
                {"regex(\"(?P=a)\", \"aa\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: no "
                                              "such group (there is no lookaround): \"(?P\""},
                {"regex(\"(*UTF)a\", \"aa\")",
                 "Error: argument 'pattern' of regex(): this is no pattern of RE2: there is nothing to repeat: \"(*\""},
                {"regex(\"(a)\\\\1\", \"aa\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: "
                                                "there are no backreferences: \"\\1\""},
                {"regex(\"\\\\8\", \"aa\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: there "
                                             "are no backreferences: \"\\8\""},
                {"regex(\"\\\\K\", \"aa\")",
                 "Error: argument 'pattern' of regex(): this is no pattern of RE2: no such escape: \"\\K\""},
                {"regex(\"\\\\Z\", \"aa\")",
                 "Error: argument 'pattern' of regex(): this is no pattern of RE2: no such escape: \"\\Z\""},
                {"regex(\"\\\\x{110000}\", \"aa\")",
                 "Error: argument 'pattern' of regex(): this is no pattern of RE2: no such escape: \"\\x{110000}\""},
                {"regex(\"\\\\x4\", \"aa\")",
                 "Error: argument 'pattern' of regex(): this is no pattern of RE2: no such escape: \"\\x4\""},
                {"regex(\"\\\\p{Nope}\", \"aa\")",
                 "Error: argument 'pattern' of regex(): this is no pattern of RE2: unknown property after \\P or \\p"},
                {"regex(\"[z-a]\", \"aa\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: a range "
                                             "in a class is upside down: \"z-a\""},
                {"regex(\"[[:foo:]]\", \"aa\")",
                 "Error: argument 'pattern' of regex(): this is no pattern of RE2: no such class: \"[:foo:]\""},
                {"regex(\"[\\\\b]\", \"aa\")",
                 "Error: argument 'pattern' of regex(): this is no pattern of RE2: no such escape: \"\\b\""},
                {"regex(\"\\\\\", \"aa\")", "Error: argument 'pattern' of regex(): this is no pattern of RE2: a "
                                            "backslash stands at the end: \"\\\""},
                {"regex(\"a{,2}\", \"a{,2}\")", "a{,2}"},
                {"regex(\"[[.a.]]\", \"a]\")", "a]"},
                {"regex(\"\\\\Qa.b\\\\E.\", \"a.bc\")", "a.bc"},
                {"regex(\"\\\\101\\\\x41\\\\x{41}\", \"AAA\")", "AAA"},
                {"regex(\"(?i:A)(?-i:b)\", \"ab\")", "ab"},
                {"regex(\"\\\\p{Greek}+\", \"abc\316\261\316\262\316\263\")", "\316\261\316\262\316\263"},
                {"regex(\"[^\\\\S]\", \"a\\u000bb c\")", " "},
        };

        (void)state;
        CHECK(rows);
}

static void test_encodings(void **state)
{
        static const struct expectation rows[] = {
                {"base64encode(\"Hello World\")", "SGVsbG8gV29ybGQ="},
                {"base64decode(\"SGVsbG8gV29ybGQ=\")", "Hello World"},
                {"base64decode(\"QUJD\\r\\nREVG\")", "ABCDEF"},
                {"base64decode(\"x\")", "Error: argument 'str' of base64decode(): this is no base64 (RFC 4648)"},
                {"base64decode(\"////\")", "Error: argument 'str' of base64decode(): what is encoded is no UTF-8 text, "
                                           "and there are no other strings"},
                {"base64gzip(\"hello\")", "H4sIAAAAAAAA/8tIzcnJBwCGphA2BQAAAA=="},
                {"textencodebase64(\"Hello World\", \"UTF-16LE\")", "SABlAGwAbABvACAAVwBvAHIAbABkAA=="},
                {"textencodebase64(\"x\", \"UTF-16\")", "/v8AeA=="},
                {"textencodebase64(\"\303\244\", \"ISO-8859-1\")", "5A=="},
                {"textencodebase64(\"\342\202\254\", \"ISO-8859-1\")",
                 "Error: argument 'string' of textencodebase64(): the text has characters that ISO-8859-1 cannot "
                 "represent"},
                {"textencodebase64(\"x\", \"UTF-16LE//TRANSLIT\")",
                 "Error: argument 'encoding' of textencodebase64(): \"UTF-16LE//TRANSLIT\" is no known character set; "
                 "names are IANA's, such as \"UTF-16LE\""},
                {"textencodebase64(\"x\", \"\")", "Error: argument 'encoding' of textencodebase64(): \"\" is no known "
                                                  "character set; names are IANA's, such as \"UTF-16LE\""},
                {"textdecodebase64(\"SABlAGwAbABvACAAVwBvAHIAbABkAA==\", \"UTF-16LE\")", "Hello World"},
                {"textdecodebase64(\"eA==\", \"UTF-16LE\")",
                 "Error: argument 'source' of textdecodebase64(): the bytes are no text in UTF-16LE"},
                {"textdecodebase64(\"eA==\", \"nope\")",
                 "Error: argument 'encoding' of textdecodebase64(): \"nope\" is no known character set; names are "
                 "IANA's, such as \"UTF-16LE\""},
                {"textdecodebase64(\"x\", \"UTF-16LE\")",
                 "Error: argument 'source' of textdecodebase64(): this is no base64 (RFC 4648)"},
                {"csvdecode(\"a,b\\n1,2\\n\")", "[ { \"a\" = \"1\" \"b\" = \"2\" }, ]"},
                {"csvdecode(\"b,a,b\\n1,2,3\\n\")",
                 "Error: argument 'str' of csvdecode(): the column \"b\" stands twice in the first line"},
                {"length(csvdecode(join(\",\", range(1000)))) + length(csvdecode(\"${join(\",\", [for n in "
                 "setproduct(range(400), range(400)) : n[0] * 400 + n[1]])}\\n\"))",
                 "0"},
                {"csvdecode(\"a,b\\n1\")",
                 "Error: argument 'str' of csvdecode(): record 1 has 1 fields, the first line 2"},
                {"csvdecode(\"a,a\\n1,2\")",
                 "Error: argument 'str' of csvdecode(): the column \"a\" stands twice in the first line"},
                {"csvdecode(\"\")",
                 "Error: argument 'str' of csvdecode(): the text is empty; its first line must name the columns"},
                {"csvdecode(\"a\\nb\\\"c\")",
                 "Error: argument 'str' of csvdecode(): line 2: a quote stands in the wrong place, or is not closed"},
                {"csvdecode(\"a\\n\\\"b\")",
                 "Error: argument 'str' of csvdecode(): line 2: a quote stands in the wrong place, or is not closed"},
                {"jsondecode(\"[1,2.5,\\\"x\\\",null,{\\\"a\\\":true}]\")",
                 "[ 1, 2.5, \"x\", null, { \"a\" = true }, ]"},
                {"jsondecode(\"{\\\"a\\\":1,\\\"a\\\":2}\")", "{ \"a\" = 2 }"},
                {"jsondecode(\"1e999999999\")",
                 "Error: argument 'str' of jsondecode(): the number 1e999999999 is too large"},
                {"jsondecode(\"{\")",
                 "Error: argument 'str' of jsondecode(): this is no JSON: line 1, column 1: this '{' is never closed"},
                {"jsondecode(\"\\\"\\\\u0000\\\"\")",
                 "Error: argument 'str' of jsondecode(): this is no JSON: line 1, column 2: a string of a template "
                 "cannot hold the character \\u0000"},
                {"jsonencode({b = 12345678901234567890, a = [\"<\303\251>\", null]})",
                 "{\"a\":[\"\\u003c\303\251\\u003e\",null],\"b\":12345678901234567890}"},
                {"jsonencode(log(0, 10))", "Error: jsonencode(): infinity cannot be written as JSON"},
        };

        (void)state;
        CHECK(rows);
}

static void test_yaml(void **state)
{
        static const struct expectation rows[] = {
                {"yamldecode(\"a: [1, yes, 2001-1-2, \\\"3\\\", ~]\")",
                 "{ \"a\" = [ 1, true, \"2001-01-02T00:00:00Z\", \"3\", null, ] }"},
                {"yamldecode(\"\")", "null"},
                {"yamldecode(\"# nothing\")", "null"},
                {"yamldecode(\"a: [1\")", "Error: argument 'str' of yamldecode(): line 2, column 1: this is no YAML: "
                                          "did not find expected ',' or ']'"},
                {"yamldecode(\"a: *x\")",
                 "Error: argument 'str' of yamldecode(): line 1, column 4: there is no anchor &x"},
                {"yamldecode(\"x: &a [*a]\")",
                 "Error: argument 'str' of yamldecode(): line 1, column 8: a value cannot contain itself: *a"},
                {"yamldecode(\"- 1\\n--- \\n- 2\")",
                 "Error: argument 'str' of yamldecode(): line 2, column 1: only one document is allowed"},
                {"yamldecode(\"? [a]\\n: 1\")",
                 "Error: argument 'str' of yamldecode(): line 1, column 3: only strings are allowed as mapping keys"},
                {"yamldecode(\"- !foo x\")",
                 "Error: argument 'str' of yamldecode(): line 1, column 3: unsupported tag !foo"},
                {"yamldecode(\"!!map [1]\")", "Error: argument 'str' of yamldecode(): line 1, column 1: a collection "
                                              "cannot be of the type tag:yaml.org,2002:map"},
                {"yamldecode(\".nan\")",
                 "Error: argument 'str' of yamldecode(): line 1, column 1: there is no value for .nan"},
                {"yamldecode(\"<<: [{a: 1}, {a: 2, b: 3}]\")", "{ \"a\" = 1 \"b\" = 3 }"},
                {"yamldecode(\"<<: [1]\")", "Error: argument 'str' of yamldecode(): line 1, column 1: \"<<\" takes a "
                                            "mapping, or a list of mappings"},
                {"yamldecode(\"\\u0001\")", "Error: argument 'str' of yamldecode(): line 1, column 1: this is no YAML: "
                                            "control characters are not allowed"},
                {"yamldecode(\"!!int x\")", "Error: argument 'str' of yamldecode(): line 1, column 1: the value is not "
                                            "what its tag says: tag:yaml.org,2002:int"},
                {"yamldecode(join(\"\", [for i in range(1000) : \"[\"]))",
                 "Error: argument 'str' of yamldecode(): line 1, column 256: the values are nested too deeply"},
                {"yamldecode(join(\"\", [for i in range(1000) : \"{a: \"]))",
                 "Error: argument 'str' of yamldecode(): line 1, column 1021: the values are nested too deeply"},
                {"yamldecode(\"a: &a [x,x,x,x,x,x,x,x,x,x]\\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\\nc: &c "
                 "[*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\\ne: &e "
                 "[*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\")",
                 "Error: argument 'str' of yamldecode(): line 6, column 26: the aliases make this too large"},
                {"yamlencode({a = [1, \"b\"], c = null})", "\"a\":\n- 1\n- \"b\"\n\"c\": null\n"},
                {"yamlencode(log(0, 10))",
                 "Error: argument 'value' of yamlencode(): infinity cannot be written as YAML"},
        };

        (void)state;
        CHECK(rows);
}

static void test_hashes(void **state)
{
        static const struct expectation rows[] = {
                {"md5(\"hello world\")", "5eb63bbbe01eeed093cb22bb8f5acdc3"},
                {"sha1(\"hello world\")", "2aae6c35c94fcfb415dbe95f408b9ce91ee846ed"},
                {"sha256(\"hello world\")", "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"},
                {"length(sha512(\"hello world\"))", "128"},
                {"bcrypt(\"x\", 19)",
                 "Error: argument 'cost' of bcrypt(): the cost must be at most 18: each step doubles the time"},
                {"bcrypt(format(\"%073d\", 1), 4)",
                 "Error: argument 'str' of bcrypt(): bcrypt takes at most 72 bytes, none of which is NUL"},
                {"bcrypt(\"x\", 4, 4)", "Error: argument 'cost' of bcrypt(): bcrypt takes a text, and a cost"},
                {"substr(bcrypt(\"x\", 4), 0, 7)", "$2a$04$"},
                {"uuidv5(\"dns\", \"www.terraform.io\")", "a5008fae-b28c-5ba5-96cd-82b4c53552d6"},
                {"uuidv5(\"x\", \"y\")", "Error: argument 'namespace' of uuidv5(): the namespace must be \"dns\", "
                                         "\"url\", \"oid\", \"x500\" or a UUID"},
                {"length(uuidv4())", "36"},
                {"rsadecrypt(\"x\", \"y\")",
                 "Error: argument 'ciphertext' of rsadecrypt(): this is no base64 (RFC 4648)"},
                {"rsadecrypt(\"aGk=\", \"y\")",
                 "Error: argument 'privatekey' of rsadecrypt(): this is no RSA key in PEM form"},
        };

        (void)state;
        CHECK(rows);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_strings), cmocka_unit_test(test_formats),   cmocka_unit_test(test_patterns),
                cmocka_unit_test(test_re2),     cmocka_unit_test(test_encodings), cmocka_unit_test(test_yaml),
                cmocka_unit_test(test_hashes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
