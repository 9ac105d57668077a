#include "serve/current.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/cleanup.h"

struct held {
        struct site *site;
        unsigned int holds; /* its own of being current among them */
        struct held *next;
};

struct current {
        pthread_mutex_t mutex;
        struct held *first; /* the current one; behind it old ones that are still held */
};

static void push(struct current *current, struct site *site)
{
        struct held *held = xcalloc(1, sizeof(*held));

        *held = (struct held){.site = site, .holds = 1, .next = current->first};
        current->first = held;
}

/* One hold less; the site is gone with the last. */
static void let_go(struct current *current, const struct site *site)
{
        struct held **at = &current->first, *held;

        while (*at && (*at)->site != site)
                at = &(*at)->next;
        held = *at;
        if (!held || --held->holds > 0)
                return;
        *at = held->next;
        site_free(held->site);
        free(held);
}

struct current *current_new(struct site *site)
{
        struct current *current = xcalloc(1, sizeof(*current));

        pthread_mutex_init(&current->mutex, NULL);
        push(current, site);
        return current;
}

struct current *current_free(struct current *current)
{
        if (!current)
                return NULL;
        while (current->first) {
                current->first->holds = 1;
                let_go(current, current->first->site);
        }
        pthread_mutex_destroy(&current->mutex);
        free(current);
        return NULL;
}

const struct site *current_acquire(struct current *current)
{
        const struct site *site;

        pthread_mutex_lock(&current->mutex);
        site = current->first->site;
        current->first->holds++;
        pthread_mutex_unlock(&current->mutex);
        return site;
}

void current_release(struct current *current, const struct site *site)
{
        pthread_mutex_lock(&current->mutex);
        let_go(current, site);
        pthread_mutex_unlock(&current->mutex);
}

void current_replace(struct current *current, struct site *site)
{
        const struct site *old;

        pthread_mutex_lock(&current->mutex);
        old = current->first->site;
        push(current, site);
        let_go(current, old);
        pthread_mutex_unlock(&current->mutex);
}
