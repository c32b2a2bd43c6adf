/* dutybook_plugin.h - the C ABI of native Dutybook plugins, major version 1.
 *
 * A native plugin is a shared object that exports ONE symbol, `dutybook_plugin_entry`. It runs in
 * a worker process of its own that has no file, no network, no clock and no randomness: all that
 * a plugin may know is handed to it. Build it from this header alone:
 *
 *     cc -std=c99 -shared -fPIC -I sdk -o plugin.so plugin.c
 *
 * Conventions
 *   - Every table begins with its own size in bytes, set by whoever fills it in. Tables only ever
 *     grow at the end: before using a member, check that the size covers it
 *     (DUTYBOOK_HAS(table, type, member)). A member never changes its meaning; what has no place in
 * a table becomes an extension with a string id ("dutybook.calendar/1"), asked for by
 *     host->extension() or plugin->extension().
 *   - [worker] marks functions called on the worker's one thread. There is no other thread; a
 *     plugin must not make one (the sandbox kills the process that tries).
 *   - Strings are UTF-8, given as pointer and length, never terminated. Input is borrowed: it is
 *     valid until the call returns. Output goes through a sink that copies it before it returns,
 *     so a plugin frees what it allocated, itself.
 *   - JSON in, JSON out. The shapes are those of the plugin guide (plugins/README.md).
 *   - A call that fails returns non-zero and may say why with sink->error. Crashing, hanging and
 *     writing rubbish harm nobody but the plugin: the record that did it stays unchecked.
 */
#ifndef DUTYBOOK_PLUGIN_H
#define DUTYBOOK_PLUGIN_H

/* NOLINTBEGIN(modernize-deprecated-headers): C has no others. */
#include <stddef.h>
#include <stdint.h>
/* NOLINTEND(modernize-deprecated-headers) */

#ifdef __cplusplus
extern "C" {
#endif

/* A worker loads a plugin with the same major number and any minor one. */
#define DUTYBOOK_ABI_MAJOR 1u
#define DUTYBOOK_ABI_MINOR 1u
#define DUTYBOOK_ABI_VERSION ((DUTYBOOK_ABI_MAJOR << 16) | DUTYBOOK_ABI_MINOR)

#define DUTYBOOK_HAS(table, type, member) \
    ((table)->size >= offsetof(type, member) + sizeof(((type*)0)->member))

typedef struct dutybook_text {
    const char* data;
    size_t size;
} dutybook_text;

/* Where a call puts its output. Owned by the worker, valid during the call. */
typedef struct dutybook_sink {
    size_t size; /* of this table, in bytes */
    void* host;  /* the worker's; hand it back as it is */

    /* [worker] Appends text to the answer. Non-zero when the answer grew over the plugin's output
     * limit: stop then, the call has failed. */
    int (*write)(void* host, dutybook_text text);
    /* [worker] Says why the call fails; the last one counts. */
    void (*error)(void* host, dutybook_text text);
} dutybook_sink;

/* What the worker offers. Valid from `create` until `destroy` returns. */
typedef struct dutybook_host {
    size_t size;          /* of this table, in bytes */
    uint32_t abi_version; /* of the worker */
    void* host;           /* the worker's; hand it back as it is */

    /* [worker] A line for the log, at most 1 KiB; more than 100 in a call are dropped. */
    void (*log)(void* host, dutybook_text line);
    /* [worker] A table for an extension id, or null. Valid as long as the host table. */
    const void* (*extension)(void* host, const char* id);
} dutybook_host;

/* What the plugin offers. Static, or valid until `destroy` returns. */
typedef struct dutybook_plugin {
    size_t size;          /* of this table, in bytes */
    uint32_t abi_version; /* DUTYBOOK_ABI_VERSION that the plugin was compiled with */

    /* [worker] Called first, and again after `destroy` when the configuration changes (spaces of
     * one site may differ in theirs). `configuration` is the plugin's configuration, an object,
     * valid until the call returns. Returns the plugin's own state, or null: the plugin does not
     * start.
     */
    void* (*create)(const dutybook_host* host, dutybook_text configuration);
    /* [worker] Ends what `create` returned. Not called when the worker is killed. */
    void (*destroy)(void* state);

    /* [worker] Judges one subject by one rule. `input` is
     *   {"subject": record, "needs": {name: record or null | [record, ...]}, "now": instant?}
     * and the answer, written to `sink`, an array of findings
     *   [{"code", "severity"?, "path"?, "values"?: {name: text}, "steps"?: [text],
     *     "records"?: [id], "passes_at"?: instant}, ...]
     * Null if the plugin has no rules. Returns 0 on success. */
    int (*evaluate)(void* state, dutybook_text rule, dutybook_text input,
                    const dutybook_sink* sink);
    /* [worker] Fields to fill in at a local write: `record` in, an object of fields out. May be
     * null. */
    int (*complete)(void* state, dutybook_text kind, dutybook_text input,
                    const dutybook_sink* sink);
    /* [worker] A report: {"parameters": {...}, "needs": {...}} in, an array of blocks out. May be
     * null. */
    int (*report)(void* state, dutybook_text name, dutybook_text input, const dutybook_sink* sink);
    /* [worker] A table for an extension id, or null. The member itself may be null. */
    const void* (*extension)(void* state, const char* id);

    /* Since 1.1. */

    /* [worker] Brings a record of an older shape of its kind to the shape of today:
     *   {"record": {"_id", "_kind", "_zone", "_created", and its fields}}
     * in, an object of the fields to set out; null clears one. Nothing, or {}, if there is nothing
     * to do. The answer depends on the record alone, and there is nothing to do on what it gave:
     * sites that are apart must write the same. May be null. */
    int (*migrate)(void* state, dutybook_text kind, dutybook_text input, const dutybook_sink* sink);
} dutybook_plugin;

/* The one exported symbol. [worker] Called once after loading, before `create`; must not allocate
 * what it cannot leak. Null = this plugin cannot run with that worker. */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const dutybook_plugin*
dutybook_plugin_entry(uint32_t worker_abi_version);

#ifdef __cplusplus
}
#endif

#endif /* DUTYBOOK_PLUGIN_H */
