/* Functions of numbers and collections. What Packer's console has too stands in
 * tests/oracle/expressions; here: documented examples, newer functions, messages, limits. */
#include "functest.h"

static void test_numbers(void **state)
{
        static const struct expectation rows[] = {
                {"abs(-12.4)", "12.4"},
                {"ceil(5.1)", "6"},
                {"floor(-5.1)", "-6"},
                {"ceil(-0.5)", "0"},
                {"floor(-0.0)", "0"},
                {"log(50, 10)", "1.6989700043360185"},
                {"log(-1, 10)", "Error: argument 'num' of log(): a negative number has no logarithm"},
                {"log(2, -10)", "Error: argument 'base' of log(): there is no logarithm to a negative base"},
                {"log(0, 10)", "-Inf"},
                {"max()", "Error: max(): at least one number is needed"},
                {"parseint(\"FF\", 16)", "255"},
                {"parseint(\"bA3\", 62)", "44519"},
                {"parseint(\"zz\", 10)",
                 "Error: argument 'number' of parseint(): \"zz\" is no whole number in base 10"},
                {"parseint(10, 10)", "Error: argument 'number' of parseint(): a string is needed, not number"},
                {"parseint(\"1\", 1)",
                 "Error: argument 'base' of parseint(): the base must be a whole number between 2 and 62"},
                {"parseint(format(\"%05000d\", 0), 10)",
                 "Error: argument 'number' of parseint(): the number has more than 4096 digits"},
                {"pow(-2, 0.5)", "Error: pow(): there is no such number"},
                {"pow(10, 1e300)", "+Inf"},
                {"pow(0, -1)", "+Inf"},
                {"signum(0.5)", "Error: argument 'num' of signum(): a whole number of 64 bits is needed, not 0.5"},
                {"sum([10, 13, 6, 4.5])", "33.5"},
                {"sum(convert([1, 2, 2], set(number)))", "3"},
                {"sum([\"1\", 2])", "3"},
                {"sum([])", "Error: argument 'list' of sum(): an empty list has no sum"},
                {"sum(\"x\")",
                 "Error: argument 'list' of sum(): a list, set or tuple of numbers is needed, not string"},
                {"sum([\"x\"])", "Error: argument 'list' of sum(): element 0 is not a number"},
                {"sum([null])", "Error: argument 'list' of sum(): element 0 is not a number"},
        };

        (void)state;
        CHECK(rows);
}

static void test_lists(void **state)
{
        static const struct expectation rows[] = {
                {"alltrue([\"true\", true])", "true"},
                {"alltrue([true, false])", "false"},
                {"alltrue([true, null])", "false"},
                {"alltrue([])", "true"},
                {"alltrue([\"x\"])",
                 "Error: argument 'list' of alltrue(): element 0: a bool is required, but found \"x\""},
                {"anytrue([])", "false"},
                {"anytrue([false, null, true])", "true"},
                {"anytrue([false, null])", "false"},
                {"chunklist([\"a\", \"b\", \"c\"], 2)", "[ [ \"a\", \"b\", ], [ \"c\", ], ]"},
                {"chunklist([1, 2, 3], 9223372036854775807)", "[ [ 1, 2, 3, ], ]"},
                {"chunklist([1], -1)",
                 "Error: argument 'size' of chunklist(): the size of chunks must not be negative"},
                {"compact([\"a\", \"\", null])", "[ \"a\", ]"},
                {"concat([\"a\"], \"b\")", "Error: argument 'seqs' of concat(): a list or tuple is needed, not string"},
                {"distinct([\"b\", \"a\", \"b\"])", "[ \"b\", \"a\", ]"},
                {"element([1], -1)", "Error: argument 'index' of element(): the index must not be negative"},
                {"element([1, 2], 9223372036854775807)", "2"},
                {"element([1, 2], 1e30)", "Error: argument 'index' of element(): a whole number of 64 bits is needed, "
                                          "not 1000000000000000000000000000000"},
                {"element([], 0)", "Error: argument 'list' of element(): an empty list has no elements"},
                {"flatten([[\"a\", \"b\"], [], [\"c\"]])", "[ \"a\", \"b\", \"c\", ]"},
                {"flatten({})", "Error: argument 'list' of flatten(): a list, set or tuple is needed, not object"},
                {"flatten(null)", "Error: argument 'list' of flatten() must not be null"},
                {"index([\"a\"], \"b\")", "Error: argument 'value' of index(): no element of the list is this one"},
                {"index([\"a\", \"b\", \"c\"], \"b\")", "1"},
                {"index(convert([\"a\", \"b\"], list(string)), \"b\")", "1"},
                {"range(1, 8, 2)", "[ 1, 3, 5, 7, ]"},
                {"range(1, 1, 0)", "Error: argument 'params' of range(): the step must not be 0"},
                {"range(1, 4, -1)", "Error: argument 'params' of range(): the end must not be greater than the start "
                                    "when the step is negative"},
                {"range(5000)", "Error: range(): more than 1024 numbers; bring the end nearer or take a larger step"},
                {"range(log(0, 10), 5)",
                 "Error: range(): more than 1024 numbers; bring the end nearer or take a larger step"},
                {"reverse({})", "Error: argument 'list' of reverse(): a list, set or tuple is needed, not object"},
                {"reverse(convert([\"b\", \"a\"], set(string)))", "[ \"b\", \"a\", ]"},
                {"slice([1, 2], 1, 5)",
                 "Error: argument 'end_index' of slice(): the end must be between 0 and the list's length, 2"},
                {"slice([1, 2], 2, 1)",
                 "Error: argument 'start_index' of slice(): the start must not be after the end"},
                {"slice(convert([\"a\"], set(string)), 0, 1)", "Error: argument 'list' of slice(): the elements of a "
                                                               "set have no order; make a list of it (sort, convert)"},
                {"sort([\"b\", null])", "Error: argument 'list' of sort(): element 1 is null, which cannot be sorted"},
                {"sort([\"e\", \"d\", \"a\", \"x\"])", "[ \"a\", \"d\", \"e\", \"x\", ]"},
                {"contains(\"a\", \"b\")",
                 "Error: argument 'list' of contains(): a list, set or tuple is needed, not string"},
                {"contains([1, 2], 2)", "true"},
                {"coalesce(\"\", null)", "Error: coalesce(): all arguments are null or empty strings"},
                {"coalesce(\"\", \"b\")", "b"},
                {"coalescelist([], \"a\")",
                 "Error: argument 'vals' of coalescelist(): a list or tuple is needed, not string"},
                {"coalescelist([], [])", "Error: coalescelist(): all lists are empty"},
                {"coalescelist([], [\"c\"])", "[ \"c\", ]"},
        };

        (void)state;
        CHECK(rows);
}

static void test_maps(void **state)
{
        static const struct expectation rows[] = {
                {"keys({b = 1, a = 2})", "[ \"a\", \"b\", ]"},
                {"keys([\"a\"])", "Error: argument 'inputMap' of keys(): a map or an object is needed, not tuple"},
                {"values({b = 1, a = 2})", "[ 2, 1, ]"},
                {"values([1])", "Error: argument 'mapping' of values(): a map or an object is needed, not tuple"},
                {"lookup({a = 1}, \"b\", 2)", "2"},
                {"lookup({\"\" = 1}, \"\", 2)", "1"},
                {"lookup(convert({a = 1}, map(number)), \"b\", \"x\")",
                 "Error: argument 'default' of lookup(): the default must be of the same type as the map's elements: "
                 "number"},
                {"lookup([1], \"a\", 2)",
                 "Error: argument 'inputMap' of lookup(): a map or an object is needed, not tuple"},
                {"merge()", "{}"},
                {"merge({a = 1}, \"b\")",
                 "Error: argument 'maps' of merge(): a map or an object is needed, not string"},
                {"merge({a = 1}, null, {a = 2, b = 3})", "{ \"a\" = 2 \"b\" = 3 }"},
                {"merge(convert({a = \"x\"}, map(string)), convert({b = \"y\"}, map(string)))",
                 "{ \"a\" = \"x\" \"b\" = \"y\" }"},
                {"zipmap([\"a\", \"b\"], [1])", "Error: zipmap(): there are 2 keys but 1 values"},
                {"zipmap([\"a\", \"b\"], [1, true])", "{ \"a\" = 1 \"b\" = true }"},
                {"zipmap([\"a\", null], [1, 2])",
                 "Error: argument 'keys' of zipmap(): element 1 is null, which is no key"},
                {"zipmap([\"a\"], 1)", "Error: argument 'values' of zipmap(): a list or tuple is needed, not number"},
                {"length({a = 1})", "1"},
                {"length("
                 "\"e\\u0301\360\237\221\250\342\200\215\360\237\221\251\342\200\215\360\237\221\247\360\237\207\251"
                 "\360\237\207\252\")",
                 "3"},
                {"length(true)", "Error: argument 'value' of length(): a string, a collection, a tuple or an object is "
                                 "needed, not bool"},
                {"length(null)", "Error: argument 'value' of length() must not be null"},
        };

        (void)state;
        CHECK(rows);
}

static void test_sets(void **state)
{
        static const struct expectation rows[] = {
                {"setintersection([\"a\", \"b\"], [\"b\", \"c\"])", "[ \"b\", ]"},
                {"setintersection([[1]], [\"b\"])",
                 "Error: setintersection(): the elements of the sets have no type in common"},
                {"setunion([\"b\"], [\"a\", \"b\"])", "[ \"a\", \"b\", ]"},
                {"setproduct([\"a\"])", "Error: setproduct(): at least two sets are needed"},
                {"setproduct([\"a\"], \"b\")",
                 "Error: argument 'sets' of setproduct(): a set or a list is needed, not string"},
                {"setproduct([\"a\", [1]], [\"b\"])",
                 "Error: argument 'sets' of setproduct(): the elements of the tuple have no type in common"},
                {"setproduct([\"x\"], convert([\"a\", \"b\"], set(string)))",
                 "[ [ \"x\", \"a\", ], [ \"x\", \"b\", ], ]"},
                {"setproduct([for i in range(1024) : i], [for i in range(1024) : i], [1])",
                 "Error: setproduct(): the product would have more than 349525 elements"},
        };

        (void)state;
        CHECK(rows);
}

static void test_limits(void **state)
{
        static const struct expectation rows[] = {
                {"length(join(format(\"%1000000s\", \"x\"), range(100)))",
                 "Error: join(): the result would be longer than 64 MiB"},
                {"indent(9223372036854775807, \"a\\nb\")",
                 "Error: argument 'spaces' of indent(): the number of spaces must be between 0 and 67108864"},
                {"indent(-1, \"a\")",
                 "Error: argument 'spaces' of indent(): the number of spaces must be between 0 and 67108864"},
                {"replace(format(\"%10000s\", \"\"), \"\", format(\"%100000s\", \"\"))",
                 "Error: replace(): the result would be longer than 64 MiB"},
                {"substr(\"abc\", 9223372036854775807, 9223372036854775807)", ""},
                {"substr(\"abc\", -9223372036854775808, 1)", "a"},
                {"substr(\"abc\", 1e300, 1)", "Error: argument 'offset' of substr(): a whole number of 64 bits is "
                                              "needed, not 1000000000000000000000000000000000000000"},
                {"length(setproduct([for i in range(500) : i], [for i in range(1000) : i]))", "500000"},
        };

        (void)state;
        CHECK(rows);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_numbers), cmocka_unit_test(test_lists),  cmocka_unit_test(test_maps),
                cmocka_unit_test(test_sets),    cmocka_unit_test(test_limits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
