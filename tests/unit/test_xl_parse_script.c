/* Runs the poll script in real shells, with programs in place of xl and xenstore-ls that answer from
 * the recorded fixtures, and with configuration files whose names and contents try to be commands. */
#include "tests/unit/xl_poll_kit.h"

#include <glib/gstdio.h>
#include <unistd.h>

struct place {
    char *top; /* holds bin/ with the programs, cfg/ with configuration files, log of calls */
    struct poll_kit kit;
    char *save_dir; /* NULL: none */
};

static char *at(const struct place *place, const char *name)
{
    return g_build_filename(place->top, name, NULL);
}

static void write_file(const struct place *place, const char *name, const char *text)
{
    g_autofree char *path = at(place, name);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_chmod(path, 0700);
}

/* The program notes how it was called, then does its part. */
static void write_program(const struct place *place, const char *name, const char *does)
{
    g_autofree char *text = g_strdup_printf("#!/bin/sh\necho \"%s $*\" >>'%s/log'\n%s\n",
                                            strrchr(name, '/') + 1, place->top, does);

    write_file(place, name, text);
}

static char *absolute(const char *fixture)
{
    g_autofree char *here = g_get_current_dir();

    return g_build_filename(here, "tests/fixtures/xl", fixture, NULL);
}

static void write_programs(const struct place *place, const char *xl)
{
    g_autofree char *store = absolute("store/mixed.txt");
    /* As the real one: every path must be there, or it ends. */
    g_autofree char *lists =
        g_strdup_printf("shift\nfor p do\n/bin/grep \"^$p/\" '%s' || exit 1\ndone", store);

    write_program(place, "bin/xl", xl);
    write_program(place, "bin/xenstore-ls", lists);
}

static void set_up_place(struct place *place, gconstpointer data)
{
    static const char *const folders[] = {"bin", "cfg", "cfg/folder.cfg", "other $(id)' dir"};
    g_autofree char *list = absolute("list/mixed-v.txt");
    g_autofree char *info = absolute("info/mixed.txt");
    g_autofree char *vcpus = absolute("vcpus/mixed.txt");
    g_autofree char *xl = g_strdup_printf("case $1 in list) /bin/cat '%s';; info) /bin/cat '%s';; "
                                          "vcpu-list) /bin/cat '%s';; esac",
                                          list, info, vcpus);

    set_up(&place->kit, data);
    place->top = g_dir_make_tmp("xl-script-XXXXXX", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *folder = at(place, folders[i]);

        g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    }
    write_programs(place, xl);
}

static void tear_down_place(struct place *place, gconstpointer data)
{
    char *argv[] = {(char *)"rm", (char *)"-rf", place->top, NULL};

    g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
    g_free(place->save_dir);
    g_free(place->top);
    tear_down(&place->kit, data);
}

/* The command as a login shell of that name would run it. */
static char *run(const struct place *place, const char *shell, bool with_configs, char **errors)
{
    g_autofree char *prefix = g_strdup_printf("env PATH=%s/bin ", place->top);
    g_autofree char *dirs = g_strdup_printf("%s/cfg:%s/other $(id)' dir:%s/missing", place->top,
                                            place->top, place->top);
    struct xl_poll_options options = {.nonce = XL_NONCE,
                                      .prefix = prefix,
                                      .config_dirs = dirs,
                                      .with_configs = with_configs,
                                      .save_dir = place->save_dir};
    g_autofree char *command = xl_poll_script(&options, place->kit.memory);
    char *argv[] = {(char *)shell, (char *)"-c", command, NULL};
    g_autoptr(GError) error = NULL;
    char *out = NULL;

    g_spawn_sync(place->top, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, errors, NULL,
                 &error);
    g_assert_no_error(error);
    return out;
}

static void poll_with(struct place *place, const char *shell, bool with_configs)
{
    g_autofree char *errors = NULL;
    g_autofree char *out = run(place, shell, with_configs, &errors);

    g_assert_cmpstr(errors, ==, "");
    poll_text(&place->kit, out, strlen(out));
}

static char *take_log(const struct place *place)
{
    g_autofree char *path = at(place, "log");
    char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return g_strdup("");
    g_unlink(path);
    return text;
}

static const char *const shells[] = {"dash", "bash"};

static void test_polls(struct place *place, gconstpointer data)
{
    const char *shell = data;
    g_autofree char *program = g_find_program_in_path(shell);

    if (!program) {
        g_test_skip("no such shell here");
        return;
    }
    write_file(place, "cfg/tiny1.cfg",
               "name='tiny1';uuid='00000000-0000-4000-8000-000000000001'\n");
    poll_with(place, shell, true);
    g_assert_cmpuint(place->kit.report->domains->len, ==, 6);
    assert_devices(&place->kit, "tiny1",
                   "vif device=0 mac=00:16:3e:99:00:01 bridge=xenbr0\n"
                   "vbd number=51712 device=xvda target=/dev/loop1 read_only=false\n"
                   "vcpu number=0 state=blocked cpu=0 cpu_usec=3600000 affinity=all\n");
    g_free(take_log(place));
    /* From now on nothing is asked but the two that change, once tiny2 was asked a second time. */
    poll_with(place, shell, true);
    g_free(take_log(place));
    poll_with(place, shell, true);
    g_autofree char *log = take_log(place);
    g_assert_cmpstr(log, ==, "xl list -v\nxl info\nxl vcpu-list\n");
    g_assert_cmpuint(place->kit.report->domains->len, ==, 6);
    assert_devices(&place->kit, "tiny1",
                   "vif device=0 mac=00:16:3e:99:00:01 bridge=xenbr0\n"
                   "vbd number=51712 device=xvda target=/dev/loop1 read_only=false\n"
                   "vcpu number=0 state=blocked cpu=0 cpu_usec=3600000 affinity=all\n");
}

/* One domain that xenstore does not know must not hide what it says of the others. */
static void test_gone_domain(struct place *place, gconstpointer data)
{
    g_autofree char *list = absolute("list/mixed-v.txt");
    g_autofree char *info = absolute("info/mixed.txt");
    g_autofree char *xl =
        g_strdup_printf("case $1 in list) /bin/cat '%s'; echo 'gone  2 16 1 -b---- 1.0 "
                        "00000000-0000-4000-8000-0000000000c1 - -';; info) /bin/cat '%s';; esac",
                        list, info);
    g_autofree char *log = NULL;

    (void)data;
    write_programs(place, xl);
    poll_with(place, "sh", false);
    assert_devices(&place->kit, "tiny2",
                   "vif device=0 mac=00:16:3e:99:00:02 bridge=xenbr0\n"
                   "vbd number=51712 device=xvda target=/dev/loop2 read_only=false\n");
    assert_devices(&place->kit, "gone", "");
    log = take_log(place);
    g_assert_nonnull(strstr(log, "xenstore-ls -f /libxl/2 /local/domain/2/memory "
                                 "/local/domain/2/cpu /vm/00000000-0000-4000-8000-0000000000c1\n"));
    /* It is not asked for again and again. */
    poll_with(place, "sh", false);
    g_free(take_log(place));
    poll_with(place, "sh", false);
    g_free(log);
    log = take_log(place);
    g_assert_cmpstr(log, ==, "xl list -v\nxl info\nxl vcpu-list\n");
}

static void test_hostile_files(struct place *place, gconstpointer data)
{
    static const char canary[] = "name=\"$(touch canary) `touch canary` '; touch canary #\"\n"
                                 "extra = \"%s %n\"\n";
    g_autofree char *path = at(place, "canary");
    g_autofree char *forged =
        g_strdup_printf("#%s end\n\n#%s end\nname='forger'\n", XL_NONCE, XL_NONCE);
    const char *name = "$(touch canary) `touch canary` '; touch canary #";

    (void)data;
    write_file(place, "cfg/$(touch canary).cfg", canary);
    write_file(place, "cfg/`touch canary`; touch canary; '.cfg", "name='b'\n");
    write_file(place, "cfg/-rf \"x\".cfg", "name='c'\n");
    write_file(place, "cfg/new\nline.cfg", "name='d'\n");
    write_file(place, "cfg/forged.cfg", forged);
    write_file(place, "cfg/\xff.cfg", "name='e'\n");
    write_file(place, "cfg/ignored.txt", "name='f'\n");
    write_file(place, "other $(id)' dir/g.cfg", "name='g'\n");
    poll_with(place, "sh", true);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    ordinal_of(&place->kit, name);
    ordinal_of(&place->kit, "b");
    ordinal_of(&place->kit, "c");
    ordinal_of(&place->kit, "e");
    ordinal_of(&place->kit, "g");
    ordinal_of(&place->kit, "forger");
    g_assert_cmpuint(place->kit.report->domains->len, ==, 6 + 6);
}

static bool has_domain(const struct place *place, const char *name)
{
    const GArray *domains = place->kit.report->domains;

    for (guint i = 0; i < domains->len; i++) {
        const struct xc_domain *domain = &g_array_index(domains, struct xc_domain, i);

        if (XC_HAS(DOMAIN, domain, name) && strcmp(domain->name, name) == 0)
            return true;
    }
    return false;
}

static void test_changed_files(struct place *place, gconstpointer data)
{
    g_autofree char *path = at(place, "cfg/a.cfg");

    (void)data;
    poll_with(place, "sh", true);
    g_assert_cmpuint(place->kit.report->domains->len, ==, 6);
    write_file(place, "cfg/a.cfg", "name='first'\n");
    poll_with(place, "sh", true);
    g_assert_true(has_domain(place, "first"));
    /* Nobody looks: as before. */
    write_file(place, "cfg/a.cfg", "name='other'\n");
    poll_with(place, "sh", false);
    g_assert_true(has_domain(place, "first"));
    poll_with(place, "sh", true);
    g_assert_true(has_domain(place, "other") && !has_domain(place, "first"));
    g_unlink(path);
    poll_with(place, "sh", true);
    g_assert_cmpuint(place->kit.report->domains->len, ==, 6);
}

/* Enough files that their list is not sent back, only its checksum; more than one grep. */
static void test_many_files(struct place *place, gconstpointer data)
{
    g_autofree char *again = NULL;

    (void)data;
    for (unsigned i = 0; i < 350; i++) {
        g_autofree char *name = g_strdup_printf("cfg/a-rather-long-name-of-a-file-%u.cfg", i);
        g_autofree char *text = g_strdup_printf("name = \"guest-%u\"\nmemory = %u\n", i, i + 1);

        write_file(place, name, text);
    }
    poll_with(place, "sh", true);
    g_assert_cmpuint(place->kit.report->domains->len, ==, 6 + 350);
    again = run(place, "sh", true, NULL);
    g_assert_null(strstr(again, "guest-7"));
    poll_text(&place->kit, again, strlen(again));
    g_assert_cmpuint(place->kit.report->domains->len, ==, 6 + 350);
    g_assert_true(has_domain(place, "guest-349"));
}

/* What the names in the directory try to be, and a directory that goes away. */
static void test_saves(struct place *place, gconstpointer data)
{
    g_autofree char *canary = at(place, "canary");
    g_autofree char *program = at(place, "bin/ls");
    g_autofree char *away = at(place, "away");

    (void)data;
    g_assert_cmpint(symlink("/bin/ls", program), ==, 0);
    g_free(place->save_dir);
    place->save_dir = at(place, "other $(id)' dir");
    for (unsigned i = 0; i < 2; i++) {
        const char *shell = shells[i];
        g_autofree char *found = g_find_program_in_path(shell);

        if (!found)
            continue;
#define UUID "other $(id)' dir/00000000-0000-4000-8000-0000000000"
        write_file(place, UUID "e1.one%20two.xensave", "x");
        write_file(place, UUID "e2.half.xensave.resuming", "x");
        write_file(place, UUID "e3.part.saving", "x");
        write_file(place, UUID "e4.$(touch canary).xensave", "x");
        write_file(place, UUID "e5.new\n00000000-0000-4000-8000-0000000000e6.xensave", "x");
        write_file(place, "other $(id)' dir/-rf", "x");
        poll_with(place, shell, true);
        g_assert_false(g_file_test(canary, G_FILE_TEST_EXISTS));
        g_assert_true(has_domain(place, "one two") && has_domain(place, "half"));
        g_assert_cmpuint(place->kit.report->domains->len, ==, 6 + 2);
    }
    g_assert_cmpint(g_rename(place->save_dir, away), ==, 0);
    poll_with(place, "sh", false);
    g_assert_true(has_domain(place, "one two"));
    g_assert_true(warned(&place->kit, "can not be listed"));
    g_assert_cmpint(g_rename(away, place->save_dir), ==, 0);
}

static void test_failing(struct place *place, gconstpointer data)
{
    g_autofree char *errors = NULL;
    g_autofree char *out = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *log = NULL;

    (void)data;
    write_programs(place, "echo 'sudo: a password is required' >&2; exit 1");
    out = run(place, "sh", true, &errors);
    g_assert_false(xl_parse_poll(out, strlen(out), errors, XL_NONCE, place->kit.memory,
                                 place->kit.report, NULL, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_AUTH_FAILED);
    log = take_log(place);
    g_assert_cmpstr(log, ==, "xl list -v\n");
}

#define ADD(path, data, function)                                                                  \
    g_test_add("/xl-script/" path, struct place, data, set_up_place, function, tear_down_place)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("dash", shells[0], test_polls);
    ADD("bash", shells[1], test_polls);
    ADD("gone-domain", NULL, test_gone_domain);
    ADD("hostile-files", NULL, test_hostile_files);
    ADD("changed-files", NULL, test_changed_files);
    ADD("many-files", NULL, test_many_files);
    ADD("saves", NULL, test_saves);
    ADD("failing", NULL, test_failing);
    return g_test_run();
}
