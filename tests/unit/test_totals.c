/* Totals of devices: what is shown never falls, whatever devices and their domains do. */
#include "xenclient/engine/totals.h"

#include <string.h>

/* Disks as a snapshot holds them: by index. */
static void make_disks(struct xc_vbd *disks, size_t n, uint32_t first, uint64_t octets)
{
    for (size_t i = 0; i < n; i++) {
        disks[i] = (struct xc_vbd){.index = first + (uint32_t)i};
        XC_SET(VBD, &disks[i], rd_bytes, octets + i);
        XC_SET(VBD, &disks[i], wr_ops, 7);
    }
}

/* One disk counts `octets`; what is shown of it. */
static uint64_t one(struct xc_totals *totals, uint32_t index, uint64_t octets, unsigned events)
{
    struct xc_vbd disk;

    make_disks(&disk, 1, index, octets);
    g_assert_cmpuint(xc_totals_apply(totals, XC_VBDS, &disk, 1), ==, events);
    g_assert_false(XC_HAS(VBD, &disk, rd_ops));
    return disk.rd_bytes;
}

static void test_lives(void)
{
    struct xc_totals totals = {0};

    g_assert_cmpuint(one(&totals, 5, 100, 0), ==, 100);
    g_assert_cmpuint(one(&totals, 5, 250, 0), ==, 250);
    g_assert_false(totals.based); /* most domains never need the memory */
    xc_totals_new_life(&totals, XC_VBDS);
    g_assert_cmpuint(one(&totals, 5, 40, 0), ==, 290);
    g_assert_cmpuint(one(&totals, 5, 60, 0), ==, 310);
    /* Replaced within a life. */
    g_assert_cmpuint(one(&totals, 5, 1, XC_TOTALS_RESET), ==, 311);
    /* Another device does not continue it; away for a while it is not forgotten, even over a life. */
    g_assert_cmpuint(one(&totals, 3, 9, 0), ==, 9);
    xc_totals_new_life(&totals, XC_VBDS);
    g_assert_cmpuint(xc_totals_apply(&totals, XC_VBDS, NULL, 0), ==, 0);
    g_assert_cmpuint(one(&totals, 5, 2, 0), ==, 313);
    g_assert_cmpuint(one(&totals, 3, 2, 0), ==, 11);
    xc_totals_clear(&totals);
    g_assert_null(totals.words);
}

/* A counter that is not known for a while goes on afterwards. */
static void test_gap(void)
{
    struct xc_totals totals = {0};
    struct xc_vbd disk = {.index = 5};

    g_assert_cmpuint(one(&totals, 5, 100, 0), ==, 100);
    xc_totals_new_life(&totals, XC_VBDS);
    g_assert_cmpuint(xc_totals_apply(&totals, XC_VBDS, &disk, 1), ==, 0);
    g_assert_cmphex(disk.has, ==, 0);
    g_assert_cmpuint(one(&totals, 5, 1, 0), ==, 101);
    xc_totals_clear(&totals);
}

/* A domain whose devices come and go without end does not fill the memory, and what is lost is said. */
static void test_forgotten(void)
{
    struct xc_totals totals = {0};
    struct xc_vbd disks[40];
    unsigned forgotten = 0;

    for (uint32_t round = 0; round < 50; round++) {
        make_disks(disks, G_N_ELEMENTS(disks), 1 + round * 3, 1000);
        unsigned events = xc_totals_apply(&totals, XC_VBDS, disks, G_N_ELEMENTS(disks));

        forgotten += (events & XC_TOTALS_FORGOTTEN) != 0;
        g_assert_cmpuint(totals.n, <=, G_N_ELEMENTS(disks) + 20);
        for (size_t i = 0; i < G_N_ELEMENTS(disks); i++)
            g_assert_cmpuint(disks[i].wr_ops, ==, 7);
    }
    g_assert_cmpuint(forgotten, >, 5);
    /* Most of the disks it has never forgotten are still there, each with its own. */
    make_disks(disks, G_N_ELEMENTS(disks), 1 + 49 * 3, 2000);
    g_assert_cmpuint(xc_totals_apply(&totals, XC_VBDS, disks, 40), ==, 0);
    xc_totals_clear(&totals);
}

/* Random lives of random devices against sums kept in the simplest way. */
static void test_random(void)
{
    struct xc_totals totals = {0};
    g_autoptr(GRand) dice = g_rand_new_with_seed(11);
    uint64_t counted[9] = {0};
    uint64_t shown[9] = {0};

    for (int round = 0; round < 20000; round++) {
        struct xc_vbd disks[8];
        size_t n = 0;

        if (g_rand_int_range(dice, 0, 10) == 0) {
            xc_totals_new_life(&totals, XC_VBDS);
            memset(counted, 0, sizeof(counted));
        }
        for (uint32_t index = 1; index <= 8; index++) {
            uint64_t more = (uint64_t)g_rand_int_range(dice, 0, 100);

            if (g_rand_boolean(dice))
                continue;
            disks[n] = (struct xc_vbd){.index = index};
            counted[index] += more;
            shown[index] += more;
            XC_SET(VBD, &disks[n], wr_bytes, counted[index]);
            n++;
        }
        xc_totals_apply(&totals, XC_VBDS, disks, n);
        for (size_t i = 0; i < n; i++)
            g_assert_cmpuint(disks[i].wr_bytes, ==, shown[disks[i].index]);
    }
    xc_totals_clear(&totals);
}

static bool read_back(struct xc_totals *out, const GByteArray *data, size_t length)
{
    struct xc_reader reader = XC_READER(data->data, length);

    *out = (struct xc_totals){0};
    xc_totals_read(out, XC_VBDS, &reader);
    return xc_reader_end(&reader);
}

static void test_saved(void)
{
    struct xc_totals totals = {0};
    struct xc_totals copy = {0};
    struct xc_vbd disks[3];
    g_autoptr(GByteArray) data = g_byte_array_new();

    make_disks(disks, 3, 10, 500);
    xc_totals_apply(&totals, XC_VBDS, disks, 3);
    xc_totals_write(&totals, XC_VBDS, data);
    g_assert_true(read_back(&copy, data, data->len));
    g_assert_false(copy.based);
    g_assert_cmpuint(one(&copy, 11, 600, 0), ==, 600);
    g_assert_cmpuint(one(&copy, 11, 5, XC_TOTALS_RESET), ==, 605);
    xc_totals_clear(&copy);
    g_byte_array_set_size(data, 0);
    xc_totals_new_life(&totals, XC_VBDS);
    xc_totals_write(&totals, XC_VBDS, data);
    g_assert_true(read_back(&copy, data, data->len));
    g_assert_cmpuint(one(&copy, 11, 1, 0), ==, 502);
    xc_totals_clear(&copy);
    for (guint length = 0; length < data->len; length++) {
        g_assert_false(read_back(&copy, data, length));
        g_assert_null(copy.words);
    }
    data->data[4] = 12; /* the first index: now they do not rise */
    g_assert_false(read_back(&copy, data, data->len));
    g_assert_null(copy.words);
    data->data[3] = 0xff; /* the count */
    g_assert_false(read_back(&copy, data, data->len));
    g_assert_null(copy.words);
    xc_totals_clear(&totals);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/totals/lives", test_lives);
    g_test_add_func("/totals/gap", test_gap);
    g_test_add_func("/totals/forgotten", test_forgotten);
    g_test_add_func("/totals/random", test_random);
    g_test_add_func("/totals/saved", test_saved);
    return g_test_run();
}
