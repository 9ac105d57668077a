#include "serve/timeline.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

enum {
        BUCKETS = 4096,
        BOOTS_MAX = 16384, /* machines; with more, the one whose turn it is in its bucket goes */
        STAGES_MAX = 200,
        IDLE_US = 600 * 1000000, /* a DISCOVER after so long is another boot */
};

struct timeline {
        pthread_mutex_t mutex;
        struct boot *by_mac[BUCKETS], *by_address[BUCKETS];
        size_t n;
};

static unsigned int mac_bucket(const uint8_t mac[6])
{
        return ((unsigned int)mac[5] | (unsigned int)mac[4] << 8) * 2654435761u % BUCKETS;
}

static unsigned int address_bucket(uint32_t address)
{
        return address * 2654435761u % BUCKETS;
}

static struct boot *by_mac(const struct timeline *timeline, const uint8_t mac[6])
{
        struct boot *boot = timeline->by_mac[mac_bucket(mac)];

        while (boot && memcmp(boot->mac, mac, 6) != 0)
                boot = boot->next_mac;
        return boot;
}

static struct boot *by_address(const struct timeline *timeline, uint32_t address)
{
        struct boot *boot = timeline->by_address[address_bucket(address)];

        while (boot && boot->address != address)
                boot = boot->next_address;
        return boot;
}

static void set_address(struct timeline *timeline, struct boot *boot, uint32_t address)
{
        struct boot **at;

        if (boot->address == address)
                return;
        for (at = &timeline->by_address[address_bucket(boot->address)]; boot->address && *at; at = &(*at)->next_address)
                if (*at == boot) {
                        *at = boot->next_address;
                        break;
                }
        boot->address = address;
        if (!address)
                return;
        at = &timeline->by_address[address_bucket(address)];
        boot->next_address = *at;
        *at = boot;
}

static void clear(struct boot *boot)
{
        for (size_t i = 0; i < boot->stages.n; i++)
                free(boot->stages.v[i].text);
        vec_free(&boot->stages);
}

static void remove_boot(struct timeline *timeline, struct boot **at)
{
        struct boot *boot = *at;

        set_address(timeline, boot, 0);
        *at = boot->next_mac;
        clear(boot);
        free(boot);
        timeline->n--;
}

struct timeline *timeline_new(void)
{
        struct timeline *timeline = xcalloc(1, sizeof(*timeline));

        pthread_mutex_init(&timeline->mutex, NULL);
        return timeline;
}

struct timeline *timeline_free(struct timeline *timeline)
{
        if (!timeline)
                return NULL;
        for (size_t i = 0; i < BUCKETS; i++)
                while (timeline->by_mac[i])
                        remove_boot(timeline, &timeline->by_mac[i]);
        pthread_mutex_destroy(&timeline->mutex);
        free(timeline);
        return NULL;
}

/* ---- where one boot ends and the next begins ---- */

static int rank_of(const struct client *client)
{
        static const int ranks[CLIENT_KINDS] = {
                [CLIENT_OTHER] = 3, [CLIENT_PXE] = 1, [CLIENT_HTTP] = 1, [CLIENT_IPXE] = 2,
                [CLIENT_UBOOT] = 1, [CLIENT_PI] = 1,  [CLIENT_GRUB] = 2};

        return client ? ranks[client->kind] : 3;
}

static bool is_question(enum event_kind kind)
{
        return kind == EVENT_DHCP_IN || kind == EVENT_PROXY_IN || kind == EVENT_BINL_IN;
}

static bool is_discover(const struct event *event)
{
        return is_question(event->kind) && event->text && strncmp(event->text, "DISCOVER", 8) == 0;
}

static bool begins(const struct boot *boot, const struct event *event, int rank)
{
        if (rank == 3)
                return false;
        if (!boot || event->time_us - boot->facts.last_us > IDLE_US || rank < boot->rank)
                return true;
        return rank == boot->rank && rank == 1 && boot->facts.files > 0;
}

static struct boot *begin(struct timeline *timeline, struct boot *boot, const struct event *event)
{
        struct boot **bucket = &timeline->by_mac[mac_bucket(event->mac)], **last;
        uint32_t address = boot ? boot->address : 0;

        if (!boot && timeline->n >= BOOTS_MAX && *bucket) {
                for (last = bucket; (*last)->next_mac; last = &(*last)->next_mac)
                        ;
                remove_boot(timeline, last);
        }
        if (!boot) {
                boot = xcalloc(1, sizeof(*boot));
                boot->next_mac = *bucket;
                *bucket = boot;
                timeline->n++;
        } else {
                struct boot *next_mac = boot->next_mac, *next_address = boot->next_address;

                clear(boot);
                *boot = (struct boot){.next_mac = next_mac, .next_address = next_address, .address = address};
        }
        memcpy(boot->mac, event->mac, 6);
        boot->started_us = event->time_us;
        return boot;
}

/* ---- facts ---- */

static void keep(char *to, size_t size, const char *text)
{
        snprintf(to, size, "%s", text ? text : "");
}

/* A boot program, or an operating system, asks for an address. */
static void discovered(struct boot *boot, const struct event *event, int rank)
{
        struct boot_facts *facts = &boot->facts;
        bool again = rank == boot->rank && facts->files > 0;
        struct boot_facts old = *facts;

        if (rank >= boot->rank)
                boot->rank = rank;
        if (event->client && rank < 3)
                boot->platform = event->client->platform;
        if (rank == boot->rank && !again && facts->discover_us && old.acks == 0 && event->client &&
            event->client->kind == old.kind)
                return; /* the same question once more */
        *facts = (struct boot_facts){.discover_us = event->time_us,
                                     .total_files = old.total_files,
                                     .rounds = old.rounds + again,
                                     .kind = event->client ? event->client->kind : CLIENT_OTHER};
}

static void file_ended(struct boot_facts *facts)
{
        facts->files++;
        facts->total_files++;
        facts->missing[0] = facts->failed[0] = '\0';
}

/* A transfer began, ended, or failed. */
static void learn_transfer(struct boot_facts *facts, const struct event *event)
{
        bool start = event->kind == EVENT_TFTP_START || event->kind == EVENT_HTTP_START;
        bool error = event->kind == EVENT_TFTP_ERROR || event->kind == EVENT_HTTP_ERROR;
        bool absent = error ? event->status == 1 || event->status == 404 : event->status >= 400;

        if (start)
                facts->under_way++;
        else
                facts->under_way -= facts->under_way > 0;
        if (start || error)
                keep(facts->path, sizeof(facts->path), event->path);
        if (start)
                return;
        if (absent)
                keep(facts->missing, sizeof(facts->missing), event->path);
        else if (error)
                keep(facts->failed, sizeof(facts->failed), event->text);
        else
                file_ended(facts);
}

static void learn_answer(struct boot_facts *facts, const struct event *event)
{
        bool ack = event->text && strncmp(event->text, "ACK", 3) == 0;

        facts->offers += event->kind == EVENT_DHCP_OUT && !ack;
        facts->acks += event->kind == EVENT_DHCP_OUT && ack;
        facts->proxy_offers += event->kind == EVENT_PROXY_OUT;
        facts->binl_answers += event->kind == EVENT_BINL_OUT;
        if (event->path && *event->path) {
                facts->boot_file = true;
                keep(facts->named, sizeof(facts->named), event->path);
        }
}

static void learn(struct boot *boot, const struct event *event)
{
        struct boot_facts *facts = &boot->facts;

        facts->last_us = event->time_us > facts->last_us ? event->time_us : facts->last_us;
        switch (event->kind) {
        case EVENT_DHCP_IN:
        case EVENT_PROXY_IN:
                facts->requests += event->text && strncmp(event->text, "REQUEST", 7) == 0;
                break;
        case EVENT_BINL_IN:
                facts->binl_asks++;
                break;
        case EVENT_DHCP_OUT:
        case EVENT_PROXY_OUT:
        case EVENT_BINL_OUT:
                learn_answer(facts, event);
                break;
        case EVENT_DHCP_DROP:
                facts->drops++;
                keep(facts->drop, sizeof(facts->drop), event->text);
                break;
        case EVENT_OTHER_SERVER:
                facts->others++;
                facts->other_server = event->address;
                break;
        case EVENT_TFTP_START:
        case EVENT_TFTP_END:
        case EVENT_TFTP_PROBE:
        case EVENT_TFTP_ERROR:
        case EVENT_HTTP_START:
        case EVENT_HTTP_END:
        case EVENT_HTTP_ERROR:
                learn_transfer(facts, event);
                break;
        case EVENT_LOG:
        case EVENT_KINDS:
                break;
        }
}

/* In the order of time: the servers' threads tell of what they did a little after they did it. */
static void add_stage(struct boot *boot, const struct event *event)
{
        struct boot_stage stage = {.at_us = event->time_us, .last_us = event->time_us, .kind = event->kind, .times = 1};
        CLEANUP_STR struct str text = {0};
        struct boot_stage *before;
        size_t i = boot->stages.n;

        event_describe(event, &text);
        while (i > 0 && boot->stages.v[i - 1].last_us > event->time_us)
                i--;
        before = i > 0 ? &boot->stages.v[i - 1] : NULL;
        if (before && before->kind == event->kind && strcmp(before->text, str_get(&text)) == 0) {
                before->times++;
                before->last_us = event->time_us;
                return;
        }
        if (boot->stages.n >= STAGES_MAX) {
                boot->left_out++;
                return;
        }
        stage.text = str_steal(&text);
        vec_reserve(&boot->stages, boot->stages.n + 1);
        memmove(boot->stages.v + i + 1, boot->stages.v + i, (boot->stages.n - i) * sizeof(stage));
        boot->stages.v[i] = stage;
        boot->stages.n++;
}

bool timeline_event(struct timeline *timeline, const struct event *event, uint8_t *ret_mac)
{
        int rank = rank_of(event->client);
        struct boot *boot;

        pthread_mutex_lock(&timeline->mutex);
        boot = event->has_mac   ? by_mac(timeline, event->mac)
               : event->address ? by_address(timeline, event->address)
                                : NULL;
        if (event->has_mac && is_discover(event) && begins(boot, event, rank))
                boot = begin(timeline, boot, event);
        if (boot) {
                if (is_discover(event))
                        discovered(boot, event, rank);
                learn(boot, event);
                add_stage(boot, event);
                boot->dirty = true;
                if (event->address && event->has_mac && event->kind != EVENT_OTHER_SERVER)
                        set_address(timeline, boot, event->address);
                if (ret_mac)
                        memcpy(ret_mac, boot->mac, 6);
        }
        pthread_mutex_unlock(&timeline->mutex);
        return boot != NULL;
}

bool timeline_count_packet(struct timeline *timeline, const uint8_t mac[6], unsigned int *ret_n)
{
        struct boot *boot;

        pthread_mutex_lock(&timeline->mutex);
        boot = by_mac(timeline, mac);
        if (boot)
                *ret_n = boot->packets++;
        pthread_mutex_unlock(&timeline->mutex);
        return boot != NULL;
}

int timeline_each(struct timeline *timeline, int (*visit)(void *arg, struct boot *boot), void *arg)
{
        int r = 0;

        pthread_mutex_lock(&timeline->mutex);
        for (size_t i = 0; r >= 0 && i < BUCKETS; i++)
                for (struct boot *boot = timeline->by_mac[i]; r >= 0 && boot; boot = boot->next_mac)
                        r = visit(arg, boot);
        pthread_mutex_unlock(&timeline->mutex);
        return r < 0 ? r : 0;
}

/* ---- what it looks like ---- */

const char *boot_state_name(enum boot_state state)
{
        static const char *const names[BOOT_STATES] = {
                [BOOT_UNDER_WAY] = "booting", [BOOT_STOPPED] = "stopped", [BOOT_UP] = "up"};

        return state < BOOT_STATES ? names[state] : "unknown";
}

enum boot_state boot_state(const struct boot *boot, int64_t now_us)
{
        CLEANUP_FREE char *diagnosis = NULL;

        if (boot->rank == 3 && boot->facts.acks + boot->facts.requests > 0)
                return BOOT_UP;
        diagnosis = boot_diagnose(&boot->facts, now_us);
        return diagnosis ? BOOT_STOPPED : BOOT_UNDER_WAY;
}

static json_t *stages_json(const struct boot *boot)
{
        json_t *stages = json_array();

        for (size_t i = 0; i < boot->stages.n; i++) {
                const struct boot_stage *stage = &boot->stages.v[i];

                json_array_append_new(stages, json_pack("{s:I, s:s, s:s, s:i}", "ms",
                                                        (json_int_t)((stage->at_us - boot->started_us) / 1000), "event",
                                                        event_name(stage->kind), "text", stage->text, "times",
                                                        (int)stage->times));
        }
        return stages;
}

json_t *boot_json(const struct boot *boot, bool stages, int64_t now_us)
{
        CLEANUP_FREE char *diagnosis = boot_diagnose(&boot->facts, now_us);
        enum boot_state state = boot_state(boot, now_us);
        char mac[EVENT_MAC_TEXT], address[16];
        json_t *object;

        snprintf(address, sizeof(address), "%u.%u.%u.%u", boot->address >> 24, boot->address >> 16 & 255,
                 boot->address >> 8 & 255, boot->address & 255);
        object = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:i}", "mac", event_mac_text(boot->mac, mac), "address",
                           boot->address ? address : "", "platform", client_platform_name(boot->platform), "state",
                           boot_state_name(state), "started_us", (json_int_t)boot->started_us, "last_us",
                           (json_int_t)boot->facts.last_us, "files", (int)boot->facts.total_files);
        if (diagnosis && state == BOOT_STOPPED) {
                CLEANUP_FREE char *safe = str_printable(diagnosis);

                json_object_set_new(object, "diagnosis", json_string(safe));
        }
        if (stages)
                json_object_set_new(object, "stages", stages_json(boot));
        return object;
}
