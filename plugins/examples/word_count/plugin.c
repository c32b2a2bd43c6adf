/* word_count: a native plugin in plain C99, compiled against dutybook_plugin.h alone. It says when
 * a need is written down in fewer words than the configuration wants. */
#include <dutybook_plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct state {
    long least;
};

/* Finds `"name":` in flat JSON and returns what follows. Enough here: the host writes canonical
 * JSON, and this plugin reads two members of it. A larger plugin brings a JSON library. */
static const char* after(dutybook_text text, const char* name) {
    char key[64];
    size_t i, size;
    snprintf(key, sizeof key, "\"%s\":", name);
    size = strlen(key);
    for (i = 0; i + size <= text.size; i++) {
        if (memcmp(text.data + i, key, size) == 0) return text.data + i + size;
    }
    return NULL;
}

static void* create(const dutybook_host* host, dutybook_text configuration) {
    struct state* state = malloc(sizeof *state);
    const char* least = after(configuration, "least_words");
    (void)host;
    if (state == NULL) return NULL;
    state->least = least != NULL ? strtol(least, NULL, 10) : 3;
    return state;
}

static void destroy(void* state) {
    free(state);
}

static int evaluate(void* self, dutybook_text rule, dutybook_text input,
                    const dutybook_sink* sink) {
    const struct state* state = self;
    const char* end = input.data + input.size;
    const char* c = after(input, "text");
    long words = 0;
    int inside = 0;
    char out[256];
    dutybook_text answer;
    (void)rule;
    if (c == NULL || *c != '"') return sink->write(sink->host, (dutybook_text){"[]", 2});
    for (c++; c < end && *c != '"'; c++) {
        if (*c == '\\' && c + 1 < end) c++;
        if (*c == ' ') {
            inside = 0;
        } else if (!inside) {
            inside = 1;
            words++;
        }
    }
    if (words >= state->least) return sink->write(sink->host, (dutybook_text){"[]", 2});
    snprintf(out, sizeof out,
             "[{\"code\":\"short\",\"path\":\"/"
             "text\",\"values\":{\"words\":\"%ld\",\"least\":\"%ld\"}}]",
             words, state->least);
    answer.data = out;
    answer.size = strlen(out);
    return sink->write(sink->host, answer);
}

static const dutybook_plugin plugin = {
    sizeof(dutybook_plugin),
    DUTYBOOK_ABI_VERSION,
    create,
    destroy,
    evaluate,
    NULL,
    NULL,
    NULL,
    NULL,
};

const dutybook_plugin* dutybook_plugin_entry(uint32_t worker_abi_version) {
    return worker_abi_version >> 16 == DUTYBOOK_ABI_MAJOR ? &plugin : NULL;
}
