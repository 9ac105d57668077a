/* Functions of networks, times and types, and those that are refused. */
#include "functest.h"

static void test_networks(void **state)
{
        static const struct expectation rows[] = {
                {"cidrhost(\"10.12.127.0/20\", 268)", "10.12.113.12"},
                {"cidrhost(\"::/0\", -9223372036854775808)", "ffff:ffff:ffff:ffff:8000::"},
                {"cidrhost(\"10.0.0.0\", 1)", "Error: argument 'prefix' of cidrhost(): \"10.0.0.0\" is no address with "
                                              "a prefix, such as \"10.0.0.0/8\" or \"fd00::/48\""},
                {"cidrhost(\"10.0.0.0/30\", 4)", "Error: argument 'hostnum' of cidrhost(): a prefix of 30 bits has no "
                                                 "room for a host with the number 4"},
                {"cidrhost(\"10.0.0.0/30\", 1.5)",
                 "Error: argument 'hostnum' of cidrhost(): a whole number of 64 bits is needed, not 1.5"},
                {"cidrnetmask(\"172.16.0.0/12\")", "255.240.0.0"},
                {"cidrsubnet(\"172.16.0.0/12\", 4, 2)", "172.18.0.0/16"},
                {"cidrsubnet(\"10.0.0.0/8\", 33, 1)",
                 "Error: argument 'newbits' of cidrsubnet(): a prefix is extended by at most 32 bits"},
                {"cidrsubnet(\"10.0.0.0/8\", 8, -1)",
                 "Error: argument 'netnum' of cidrsubnet(): 8 bits have no room for a subnet with the number -1"},
                {"cidrsubnet(\"10.0.0.0/30\", 4, 1)", "Error: argument 'newbits' of cidrsubnet(): a prefix of 30 bits "
                                                      "cannot be extended by 4: the address has 32"},
                {"cidrsubnet(\"::/0\", 32, 4294967295)", "ffff:ffff::/32"},
                {"cidrsubnets(\"10.1.0.0/16\", 4, 4, 8, 4)",
                 "[ \"10.1.0.0/20\", \"10.1.16.0/20\", \"10.1.32.0/24\", \"10.1.48.0/20\", ]"},
                {"cidrsubnets(\"::/0\", 32, 32, 1)", "[ \"::/32\", \"0:1::/32\", \"8000::/1\", ]"},
                {"cidrsubnets(\"10.0.0.0/30\", 1, 1, 1)", "Error: argument 'newbits' of cidrsubnets(): there is no "
                                                          "room left for a subnet with a prefix of 31 bits"},
                {"cidrsubnets(\"10.0.0.0/30\", 0)",
                 "Error: argument 'newbits' of cidrsubnets(): a prefix is extended by 1 to 32 bits"},
        };

        (void)state;
        CHECK(rows);
}

static void test_times(void **state)
{
        static const struct expectation rows[] = {
                {"formatdate(\"MMM DD, YYYY\", \"2018-01-02T23:12:01Z\")", "Jan 02, 2018"},
                {"formatdate(\"YYY\", \"2018-01-02T23:12:01Z\")",
                 "Error: argument 'format' of formatdate(): \"YYY\" is no verb; the verbs are YYYY YY MMMM MMM MM M DD "
                 "D EEEE EEE hh h HH H AA aa mm m ss s ZZZZZ ZZZZ ZZZ Z, and letters that are meant as they are stand "
                 "in 'single quotes'"},
                {"formatdate(\"YYYY\", \"2018\")",
                 "Error: argument 'time' of formatdate(): \"2018\" is no RFC 3339 time such as "
                 "\"2006-01-02T15:04:05Z\": it must begin with a year of four digits and \"-\""},
                {"formatdate(\"YYYY\", \"2018-02-30T00:00:00Z\")",
                 "Error: argument 'time' of formatdate(): \"2018-02-30T00:00:00Z\" is no RFC 3339 time such as "
                 "\"2006-01-02T15:04:05Z\": the month has no such day"},
                {"formatdate(\"YYYY\", \"2018-02-03T00:00:00+1:00\")",
                 "Error: argument 'time' of formatdate(): \"2018-02-03T00:00:00+1:00\" is no RFC 3339 time such as "
                 "\"2006-01-02T15:04:05Z\": the zone must be \"Z\", or an offset such as \"+01:00\""},
                {"formatdate(\"YYYY\", \"2018-02-03T00:00:00Z \")",
                 "Error: argument 'time' of formatdate(): \"2018-02-03T00:00:00Z \" is no RFC 3339 time such as "
                 "\"2006-01-02T15:04:05Z\": something follows after its end"},
                {"formatdate(\"'x\", \"2018-01-02T23:12:01Z\")",
                 "Error: argument 'format' of formatdate(): a literal that begins with ' is not closed"},
                {"timeadd(\"2017-11-22T00:00:00Z\", \"10m\")", "2017-11-22T00:10:00Z"},
                {"timeadd(\"2017-11-22T00:00:00Z\", \"x\")",
                 "Error: argument 'duration' of timeadd(): 'x' is not a duration; write a number and a unit, such as "
                 "\"90s\", \"1m30s\", \"500ms\" or \"1.5h\""},
                {"timeadd(\"2017-11-22T00:00:00Z\", \"3000000h\")",
                 "Error: argument 'duration' of timeadd(): '3000000h' is too long for a duration"},
                {"timeadd(\"9999-12-31T23:59:59Z\", \"1s\")", "10000-01-01T00:00:00Z"},
                {"rfc3339_parse(\"2023-07-25T23:43:16Z\")",
                 "{ \"day\" = 25 \"hour\" = 23 \"iso_week\" = 30 \"iso_year\" = 2023 \"minute\" = 43 \"month\" = 7 "
                 "\"month_name\" = \"July\" \"second\" = 16 \"unix\" = 1690328596 \"weekday\" = 2 \"weekday_name\" = "
                 "\"Tuesday\" \"year\" = 2023 \"year_day\" = 206 }"},
                {"rfc3339_parse(\"2023-07-25 23:43:16.5+05:30\").unix", "1690308796"},
                {"rfc3339_parse(\"2021-01-03T00:00:00Z\").iso_week", "53"},
                {"rfc3339_parse(\"2021-01-03T00:00:00Z\").iso_year", "2020"},
                {"rfc3339_parse(\"x\")",
                 "Error: argument 'timestamp' of rfc3339_parse(): \"x\" is no RFC 3339 time such as "
                 "\"2006-01-02T15:04:05Z\": it must begin with a year of four digits and \"-\""},
                {"unix_timestamp_parse(1690328596)",
                 "{ \"day\" = 25 \"hour\" = 23 \"iso_week\" = 30 \"iso_year\" = 2023 \"minute\" = 43 \"month\" = 7 "
                 "\"month_name\" = \"July\" \"rfc3339\" = \"2023-07-25T23:43:16Z\" \"second\" = 16 \"weekday\" = 2 "
                 "\"weekday_name\" = \"Tuesday\" \"year\" = 2023 \"year_day\" = 206 }"},
                {"unix_timestamp_parse(-1).rfc3339", "1969-12-31T23:59:59Z"},
                {"unix_timestamp_parse(1.5)", "Error: argument 'unix_timestamp' of unix_timestamp_parse(): a whole "
                                              "number of 64 bits is needed, not 1.5"},
                {"unix_timestamp_parse(9223372036854775807)",
                 "Error: argument 'unix_timestamp' of unix_timestamp_parse(): the year is too large"},
                {"legacy_strftime(\"%Q\")",
                 "Error: argument 'format' of legacy_strftime(): strftime does not know '%Q'"},
                {"legacy_isotime(\"2006\", \"x\")",
                 "Error: argument 'format' of legacy_isotime(): there is one argument at most, the layout"},
        };

        (void)state;
        CHECK(rows);
}

static void test_types(void **state)
{
        static const struct expectation rows[] = {
                {"try(1 + \"x\", \"y\")", "y"},
                {"try(\"a\", 1 + \"x\")", "a"},
                {"try()", "Error: try(): at least one expression is needed"},
                {"try(nope)", "Error: try(): no expression succeeded:\n- line 1, column 5: variables may not be used "
                              "here, but found 'nope'"},
                {"can(nope)", "false"},
                {"can(1)", "true"},
                {"can({a = 1}.b)", "false"},
                {"convert(\"1\", number)", "1"},
                {"convert(\"x\", number)",
                 "Error: argument 'value' of convert(): a number is required, but found \"x\""},
                {"convert([\"b\", \"a\", \"b\"], set(string))", "[ \"a\", \"b\", ]"},
                {"convert([\"a\"], list(number))",
                 "Error: argument 'value' of convert(): element 0: a number is required, but found \"a\""},
                {"convert({}, object({a = optional(string, \"d\")}))", "{ \"a\" = \"d\" }"},
                {"convert(null, list(string))", "null"},
                {"convert(1, nonsense)", "Error: 'nonsense' is no type"},
                {"convert(1 + \"x\", string)",
                 "Error: this operand does not fit: a number is required, but found \"x\""},
        };

        (void)state;
        CHECK(rows);
}

static void test_refused(void **state)
{
        static const struct expectation rows[] = {
                {"vault(\"a\", \"b\")",
                 "Error: vault() is not available: it reads from Vault, and slipway does not talk to it; hand the "
                 "secret over in a variable that is marked sensitive (-var, -var-file, PKR_VAR_name)"},
                {"consul_key(\"a\")",
                 "Error: consul_key() is not available: it reads from Consul, and slipway does not talk to it; hand "
                 "the secret over in a variable that is marked sensitive (-var, -var-file, PKR_VAR_name)"},
                {"aws_secretsmanager(\"a\", null)",
                 "Error: aws_secretsmanager() is not available: it reads from AWS Secrets Manager, and slipway does "
                 "not talk to it; hand the secret over in a variable that is marked sensitive (-var, -var-file, "
                 "PKR_VAR_name)"},
                {"aws_secretsmanager_raw(\"a\")",
                 "Error: aws_secretsmanager_raw() is not available: it reads from AWS Secrets Manager, and slipway "
                 "does not talk to it; hand the secret over in a variable that is marked sensitive (-var, -var-file, "
                 "PKR_VAR_name)"},
                {"env(\"HOME\")", "Error: env(): the environment is read in defaults of variables only; write variable "
                                  "\"x\" { default = env(\"HOME\") } and use var.x here"},
        };

        (void)state;
        CHECK(rows);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_networks),
                cmocka_unit_test(test_times),
                cmocka_unit_test(test_types),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
