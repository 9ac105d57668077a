/* Steps held against their tables, and messages that name what would be right. */
#include "test.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "build/build.h"

static const char frame[] =
        "{\"builders\": [{\"type\": \"arm\", \"file_urls\": [\"x.img\"], \"file_checksum_type\": \"none\","
        "\"image_build_method\": \"reuse\", \"image_path\": \"o.img\", \"image_type\": \"dos\"}],"
        "\"provisioners\": [%s], \"post-processors\": [%s]}";

/* The first message of a template with these steps, or NULL; the caller frees. */
static char *first_message(const char *provisioner, const char *post_processor)
{
        char path[] = "/tmp/slipway-check.XXXXXX";
        int fd = mkstemp(path);
        CLEANUP_FREE char *text = xasprintf(frame, provisioner, post_processor);
        struct diags diags = {0};
        struct template *t;
        char *message;

        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(file_write(path, text, strlen(text), 0600, NULL), 0);
        t = template_load(&(struct template_options){.path = path}, &diags);
        if (t)
                build_check(t, &diags);
        message = diags.list.n > 0 ? xstrdup(diags.list.v[0].summary) : NULL;
        template_free(t);
        diags_clear(&diags);
        unlink(path);
        return message;
}

static void test_good(void **state)
{
        CLEANUP_FREE char *none = first_message("{\"type\": \"shell\", \"inline\": [\"true\"]}", "\"manifest\"");

        (void)state;
        if (none)
                fail_msg("%s", none);
}

static void test_unknown_types(void **state)
{
        CLEANUP_FREE char *provisioner = first_message("{\"type\": \"shel\", \"inline\": [\"true\"]}", "");
        CLEANUP_FREE char *post = first_message("", "{\"type\": \"compres\"}");

        (void)state;
        assert_string_equal(provisioner, "unknown provisioner 'shel'; did you mean 'shell'?");
        assert_string_equal(post, "unknown post-processor 'compres'; did you mean 'compress'?");
}

static void test_unknown_keys(void **state)
{
        CLEANUP_FREE char *message = first_message("{\"type\": \"shell\", \"inlin\": [\"true\"]}", "");

        (void)state;
        assert_string_equal(message, "unknown key 'inlin'; did you mean 'inline'?");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_unknown_types),
                cmocka_unit_test(test_unknown_keys),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
