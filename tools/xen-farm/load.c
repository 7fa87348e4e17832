/* Load of the simulated guests: every counter is a function of who the guest is and how long it has
 * run in this life, so 100,000 guests cost nothing between polls. */
#include "tools/xen-farm/fleet.h"

#include <math.h>
#include <string.h>

/* What a kind of guest does in a second, on average. */
struct profile {
    const char *name;
    double cpu;   /* part of its vCPUs */
    double swing; /* 0..1: how far the load rises and falls around the average */
    double rx;    /* octets */
    double tx;
    double packet; /* octets of one */
    double rd;
    double wr;
    double request; /* octets of one */
};
static const struct profile profiles[] = {
    {"web", 0.18, 0.8, 60e3, 900e3, 900, 40e3, 25e3, 16e3},
    {"db", 0.35, 0.5, 150e3, 400e3, 600, 900e3, 1400e3, 12e3},
    {"mail", 0.06, 0.7, 90e3, 70e3, 800, 60e3, 150e3, 20e3},
    {"cache", 0.10, 0.6, 700e3, 800e3, 500, 1e3, 4e3, 8e3},
    {"build", 0.62, 0.5, 200e3, 30e3, 1200, 700e3, 900e3, 64e3},
    {"files", 0.08, 0.7, 800e3, 1500e3, 1300, 1500e3, 800e3, 64e3},
    {"desk", 0.04, 0.9, 30e3, 10e3, 700, 30e3, 20e3, 24e3},
    {"idle", 0.004, 0.3, 150, 100, 120, 200, 900, 4e3},
};

/* splitmix64: each call mixes all three, so neighbours share nothing. */
uint64_t farm_dice(uint64_t seed, uint64_t kind, uint64_t number)
{
    uint64_t z = seed + kind * 0x9e3779b97f4a7c15u + number * 0xd1342543de82ef95u;

    for (int i = 0; i < 2; i++) {
        z += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        z ^= z >> 31;
    }
    return z;
}

void farm_dice_uuid(uint64_t seed, uint64_t kind, uint64_t number, struct xc_uuid *out)
{
    uint64_t high = farm_dice(seed, kind, number * 2);
    uint64_t low = farm_dice(seed, kind, number * 2 + 1);

    for (int i = 0; i < 8; i++) {
        out->b[i] = (uint8_t)(high >> (8 * i));
        out->b[8 + i] = (uint8_t)(low >> (8 * i));
    }
    /* Version 4, variant 1. */
    out->b[6] = (uint8_t)((out->b[6] & 0x0f) | 0x40);
    out->b[8] = (uint8_t)((out->b[8] & 0x3f) | 0x80);
}

unsigned farm_profile_of(uint64_t key)
{
    return (unsigned)(farm_dice(key, 1, 0) % G_N_ELEMENTS(profiles));
}

const char *farm_profile_name(unsigned profile)
{
    return profiles[profile % G_N_ELEMENTS(profiles)].name;
}

/* A part between 0 and 1 of the key. */
static double part(uint64_t key, uint64_t kind)
{
    return (double)(farm_dice(key, kind, 0) >> 11) * 0x1p-53;
}

/* Seconds weighted by a load that rises and falls: the integral of 1 + swing * sin, which never
 * falls since swing < 1. */
static double busy_seconds(double seconds, double swing, double period, double phase)
{
    double omega = 2 * G_PI / period;

    return seconds + swing / omega * (cos(phase) - cos(omega * seconds + phase));
}

void farm_load_at(uint64_t key, unsigned profile, unsigned vcpus, gint64 run_usec,
                  struct farm_load *out)
{
    const struct profile *p = &profiles[profile % G_N_ELEMENTS(profiles)];
    double seconds = (double)MAX(run_usec, 0) / G_USEC_PER_SEC;
    double period = 60 + 540 * part(key, 2);
    double phase = 2 * G_PI * part(key, 3);
    double size = 0.5 + part(key, 4);
    double busy = size * busy_seconds(seconds, p->swing * 0.95, period, phase);
    /* Size 1.5 times load 0.62 times swing 1.475 could ask for more CPU than there is. */
    double cpu = MIN(p->cpu, 0.999 / (1.5 * (1 + p->swing * 0.95)));

    out->cpu_usec = (uint64_t)(busy * cpu * vcpus * G_USEC_PER_SEC);
    out->rx_bytes = (uint64_t)(busy * p->rx);
    out->tx_bytes = (uint64_t)(busy * p->tx);
    out->rx_packets = (uint64_t)(busy * p->rx / p->packet);
    out->tx_packets = (uint64_t)(busy * p->tx / p->packet);
    out->rd_bytes = (uint64_t)(busy * p->rd);
    out->wr_bytes = (uint64_t)(busy * p->wr);
    out->rd_ops = (uint64_t)(busy * p->rd / p->request);
    out->wr_ops = (uint64_t)(busy * p->wr / p->request);
}

gint64 farm_domain_run_usec(const struct farm_domain *domain, gint64 now)
{
    gint64 run = domain->run_before;

    if (domain->state == XC_STATE_RUNNING || domain->state == XC_STATE_SHUTTING_DOWN)
        run += now - domain->run_since;
    return run;
}
