/* Native plugins that attack, and their harmless twins: one shared object, each of its rules one
 * deed. Rule "fork" attacks, rule "fork.twin" goes through the same motions without the harm.
 * Compiled by tests/functional/test_hostile_plugins.py against the SDK header alone, with
 *   CANARY  path of a file that must not change     BOMB     path of a file that must not appear
 *   PORT    a TCP port where nobody may arrive      VICTIM   a process that must live on
 * With -DCONSTRUCTOR the attack sits in a constructor, which runs inside dlopen. */
#define _GNU_SOURCE
#include <dutybook_plugin.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { worker_socket = 3 };

static const dutybook_host* the_host;

static int answer(const dutybook_sink* sink, const char* text) {
    dutybook_text out;
    out.data = text;
    out.size = strlen(text);
    return sink->write(sink->host, out);
}

static int fine(const dutybook_sink* sink) {
    return answer(sink, "[{\"code\":\"ok\",\"path\":\"/text\"}]");
}

/* What the worker's own protocol looks like: length of type and payload, type, payload. */
static void raw_frame(char type, const char* text, size_t said) {
    char frame[4096];
    const size_t size = strlen(text);
    const unsigned length = (unsigned)(said != 0 ? said : size + 1);
    frame[0] = (char)(length & 255U);
    frame[1] = (char)(length >> 8U & 255U);
    frame[2] = (char)(length >> 16U & 255U);
    frame[3] = (char)(length >> 24U & 255U);
    frame[4] = type;
    memcpy(frame + 5, text, size);
    if (write(worker_socket, frame, size + 5) < 0) abort();
}

static void spin(void) {
    volatile unsigned long turns = 0;
    for (;;) turns++;
}

static void say(const char* words) {
    dutybook_text line;
    line.data = words;
    line.size = strlen(words);
    the_host->log(the_host->host, line);
}

static void wait_forever(void) {
    char byte;
    for (;;) {
        if (read(worker_socket, &byte, 1) < 0) abort();
    }
}

/* --- deeds: `harm` says whether it is the attack or the twin --- */

static int loop(const dutybook_sink* sink, int harm) {
    volatile unsigned long turns = 0;
    while (harm || turns < 100000) turns++;
    return fine(sink);
}

static int segfault(const dutybook_sink* sink, int harm) {
    int here = 0;
    volatile int* place = harm ? NULL : &here;
    *place = 1;
    return fine(sink);
}

static int call_abort(const dutybook_sink* sink, int harm) {
    if (harm) abort();
    return fine(sink);
}

static int call_exit(const dutybook_sink* sink, int harm) {
    if (harm) exit(0);
    return fine(sink);
}

static int quiet_exit(const dutybook_sink* sink, int harm) {
    if (harm) _exit(0);
    return fine(sink);
}

static __attribute__((noinline)) void fill(char* place, size_t size) {
    volatile char* each = place;
    size_t i;
    for (i = 0; i < size; i++) each[i] = 'A';
}

static __attribute__((noinline)) int smash(int harm) {
    char small[16];
    fill(small, harm ? 4096 : sizeof small);
    return small[0];
}

static int stack_smash(const dutybook_sink* sink, int harm) {
    return smash(harm) == 'A' ? fine(sink) : 1;
}

static __attribute__((noinline)) unsigned long deeper(unsigned long left) {
    volatile char frame[512];
    frame[0] = (char)left;
    return left == 0 ? 0 : deeper(left - 1) + (unsigned long)frame[0] % 2;
}

static int recursion(const dutybook_sink* sink, int harm) {
    return deeper(harm ? ~0UL : 100) < ~0UL ? fine(sink) : 1;
}

static int memory(const dutybook_sink* sink, int harm) {
    const size_t chunk = 1 << 20;
    size_t count;
    for (count = 0; harm || count < 4; count++) {
        volatile char* block = malloc(chunk);
        if (block == NULL) {
            char text[64];
            snprintf(text, sizeof text, "held %lu MiB", (unsigned long)count);
            say(text);
            spin();
        }
        block[0] = 1; /* address space is what is bounded; filling it would outlast the deadline */
    }
    return fine(sink);
}

static int open_read(const dutybook_sink* sink, int harm) {
    if (harm && open("/etc/passwd", O_RDONLY) < 0) return fine(sink);
    return fine(sink);
}

static int open_write(const dutybook_sink* sink, int harm) {
    if (harm) (void)!open(CANARY, O_WRONLY | O_TRUNC);
    return fine(sink);
}

static int make_file(const dutybook_sink* sink, int harm) {
    if (harm) (void)!open(BOMB, O_WRONLY | O_CREAT, 0600);
    return fine(sink);
}

static int remove_file(const dutybook_sink* sink, int harm) {
    if (harm) unlink(CANARY);
    return fine(sink);
}

static int make_socket(const dutybook_sink* sink, int harm) {
    if (harm) socket(AF_INET, SOCK_STREAM, 0);
    return fine(sink);
}

static int call_connect(const dutybook_sink* sink, int harm) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(PORT);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (harm) connect(worker_socket, (struct sockaddr*)&address, sizeof address);
    return fine(sink);
}

static int call_fork(const dutybook_sink* sink, int harm) {
    while (harm) {
        if (fork() < 0) break;
    }
    return fine(sink);
}

static void* spin_thread(void* argument) {
    (void)argument;
    spin();
    return NULL;
}

static int make_thread(const dutybook_sink* sink, int harm) {
    pthread_t thread;
    if (harm) pthread_create(&thread, NULL, spin_thread, NULL);
    return fine(sink);
}

static int call_exec(const dutybook_sink* sink, int harm) {
    char* words[] = {"/bin/sh", "-c", "echo > " BOMB, NULL};
    char* none[] = {NULL};
    if (harm) execve(words[0], words, none);
    return fine(sink);
}

static int call_ptrace(const dutybook_sink* sink, int harm) {
    if (harm) ptrace(PTRACE_ATTACH, VICTIM, NULL, NULL);
    return fine(sink);
}

static int call_kill(const dutybook_sink* sink, int harm) {
    if (harm) kill(VICTIM, SIGKILL);
    return fine(sink);
}

static int write_memory(const dutybook_sink* sink, int harm) {
    char byte = 0;
    struct iovec here, there;
    here.iov_base = &byte;
    there.iov_base = &byte;
    here.iov_len = there.iov_len = 1;
    if (harm) process_vm_writev(VICTIM, &here, 1, &there, 1, 0);
    return fine(sink);
}

static int io_uring(const dutybook_sink* sink, int harm) {
    char parameters[256] = {0};
    if (harm) syscall(SYS_io_uring_setup, 8, parameters);
    return fine(sink);
}

static int own_code(const dutybook_sink* sink, int harm) {
    const int how = PROT_READ | PROT_WRITE | (harm ? PROT_EXEC : 0);
    void* page = mmap(NULL, 4096, how, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? 1 : fine(sink);
}

static int catch_signals(const dutybook_sink* sink, int harm) {
    if (harm) {
        signal(SIGSEGV, SIG_IGN);
        spin();
    }
    return fine(sink);
}

static int gigabyte(const dutybook_sink* sink, int harm) {
    static char block[1 << 16];
    dutybook_text part;
    int i;
    part.data = block;
    part.size = sizeof block;
    memset(block, ' ', sizeof block);
    for (i = 0; i < (harm ? 1 << 14 : 1); i++) sink->write(sink->host, part);
    return fine(sink);
}

static int gigabyte_raw(const dutybook_sink* sink, int harm) {
    static char block[1 << 16];
    int i;
    for (i = 0; harm && i < 1 << 14; i++) {
        if (write(worker_socket, block, sizeof block) < 0) break;
    }
    return fine(sink);
}

static int garbage(const dutybook_sink* sink, int harm) {
    unsigned seed = 12345;
    char noise[4096];
    size_t i;
    for (i = 0; i < sizeof noise; i++)
        noise[i] = (char)((seed = seed * 1103515245U + 12345U) >> 16U);
    if (harm) (void)!write(worker_socket, noise, sizeof noise);
    return fine(sink);
}

static int truncated(const dutybook_sink* sink, int harm) {
    if (harm) {
        raw_frame('A', "+[{\"code\":\"o", 1000);
        _exit(0);
    }
    return fine(sink);
}

static int truncated_wait(const dutybook_sink* sink, int harm) {
    if (harm) {
        raw_frame('A', "+[{\"code\":\"o", 1000);
        wait_forever();
    }
    return fine(sink);
}

static int forged(const dutybook_sink* sink, int harm) {
    if (harm) raw_frame('A', "+[{\"code\":\"ok\",\"values\":{\"by\":\"forger\"}}]\n+[]\n", 0);
    return fine(sink);
}

static int forged_ready(const dutybook_sink* sink, int harm) {
    if (harm) raw_frame('R', "{\"seccomp\":true,\"landlock\":99}", 0);
    return fine(sink);
}

static int endless_log(const dutybook_sink* sink, int harm) {
    while (harm) raw_frame('G', "began endless_log", 0);
    return fine(sink);
}

static int raw_clone(const dutybook_sink* sink, int harm) {
    if (harm) syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    return fine(sink);
}

static int make_executable(const dutybook_sink* sink, int harm) {
    static char page[8192];
    char* aligned = page + (4096 - (unsigned long)page % 4096) % 4096;
    if (harm) mprotect(aligned, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
    return fine(sink);
}

static int mask_signals(const dutybook_sink* sink, int harm) {
    sigset_t all;
    sigfillset(&all);
    if (harm) {
        sigprocmask(SIG_BLOCK, &all, NULL);
        spin();
    }
    return fine(sink);
}

static int stop_itself(const dutybook_sink* sink, int harm) {
    if (harm) raise(SIGSTOP);
    return fine(sink);
}

static int close_socket(const dutybook_sink* sink, int harm) {
    if (harm) close(worker_socket);
    return fine(sink);
}

static int second_socket(const dutybook_sink* sink, int harm) {
    if (harm) dup(worker_socket);
    return fine(sink);
}

static int more_memory(const dutybook_sink* sink, int harm) {
    struct rlimit all;
    all.rlim_cur = all.rlim_max = RLIM_INFINITY;
    if (harm) setrlimit(RLIMIT_AS, &all);
    return fine(sink);
}

static int outlive(const dutybook_sink* sink, int harm) {
    if (harm) {
        prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
        spin();
    }
    return fine(sink);
}

static int memory_file(const dutybook_sink* sink, int harm) {
    if (harm) syscall(SYS_memfd_create, "bomb", 0);
    return fine(sink);
}

static int shared_memory(const dutybook_sink* sink, int harm) {
    const size_t chunk = 16 << 20;
    size_t count;
    for (count = 0; harm || count < 2; count++) {
        char* block = mmap(NULL, chunk, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED) spin();
        memset(block, 1, chunk);
        if (!harm) munmap(block, chunk);
    }
    return fine(sink);
}

/* A frame that never ends, and comes byte by byte. */
static int trickle(const dutybook_sink* sink, int harm) {
    volatile unsigned long turns = 0;
    if (harm) raw_frame('A', "+", 1 << 20);
    for (; harm; turns++) {
        if (turns % (1 << 22) == 0 && write(worker_socket, " ", 1) < 0) abort();
    }
    return fine(sink);
}

static int huge_frame(const dutybook_sink* sink, int harm) {
    if (harm) {
        raw_frame('A', "+", 0xffffffffU);
        wait_forever();
    }
    return fine(sink);
}

/* The page by which the daemon sees progress lies in this process too. */
static int forged_progress(const dutybook_sink* sink, int harm) {
    unsigned long here = 0, i;
    unsigned long* stack = &here;
    for (i = 0; harm && i < 4096; i++) {
        const unsigned long place = (unsigned long)(stack + i);
        unsigned long* page;
        if (place % 4096 < 8 && madvise((void*)(place - place % 4096), 4096, MADV_NORMAL) != 0) {
            break; /* the end of the stack */
        }
        page = (unsigned long*)stack[i];
        if (page == NULL || (unsigned long)page % 4096 != 0) continue;
        if (madvise(page, 4096, MADV_NORMAL) != 0 || *page > 1000) continue;
        *page = ~0UL;
    }
    if (harm) spin();
    return fine(sink);
}

static int deep_answer(const dutybook_sink* sink, int harm) {
    int i;
    if (!harm) return fine(sink);
    for (i = 0; i < 500000; i++) answer(sink, "[");
    return 0;
}

static int huge_number(const dutybook_sink* sink, int harm) {
    if (!harm) return fine(sink);
    return answer(sink, "[{\"code\":\"ok\",\"values\":{\"a\":1e99999}}]");
}

static int noisy_error(const dutybook_sink* sink, int harm) {
    dutybook_text noise;
    noise.data = "\xff\xfe\xc3(\xf0\x9f\n{\"what\":";
    noise.size = strlen(noise.data);
    if (!harm) return fine(sink);
    the_host->log(the_host->host, noise);
    sink->error(sink->host, noise);
    return 1;
}

static int not_json(const dutybook_sink* sink, int harm) {
    return harm ? answer(sink, "[{\"code\":") : fine(sink);
}

static int no_text(const dutybook_sink* sink, int harm) {
    return harm ? answer(sink, "[{\"code\":\"ok\",\"values\":{\"a\":\"\xff\xfe\"}}]") : fine(sink);
}

static int other_record(const dutybook_sink* sink, int harm) {
    return harm ? answer(sink, "[{\"code\":\"ok\",\"records\":[\"somebody-else\"]}]") : fine(sink);
}

static int bad_path(const dutybook_sink* sink, int harm) {
    return harm ? answer(sink, "[{\"code\":\"ok\",\"path\":\"/no/such/place\"}]") : fine(sink);
}

static int unknown_code(const dutybook_sink* sink, int harm) {
    return harm ? answer(sink, "[{\"code\":\"invented\"}]") : fine(sink);
}

static int endless_findings(const dutybook_sink* sink, int harm) {
    if (harm) answer(sink, "[{\"code\":\"ok\"}");
    while (harm) answer(sink, ",{\"code\":\"ok\"}");
    return fine(sink);
}

static const struct deed {
    const char* name;
    int (*run)(const dutybook_sink* sink, int harm);
} deeds[] = {
    {"loop", loop},
    {"segfault", segfault},
    {"abort", call_abort},
    {"exit", call_exit},
    {"quiet_exit", quiet_exit},
    {"stack_smash", stack_smash},
    {"recursion", recursion},
    {"memory", memory},
    {"open_read", open_read},
    {"open_write", open_write},
    {"make_file", make_file},
    {"remove_file", remove_file},
    {"socket", make_socket},
    {"connect", call_connect},
    {"fork", call_fork},
    {"thread", make_thread},
    {"exec", call_exec},
    {"ptrace", call_ptrace},
    {"kill", call_kill},
    {"write_memory", write_memory},
    {"io_uring", io_uring},
    {"own_code", own_code},
    {"catch_signals", catch_signals},
    {"gigabyte", gigabyte},
    {"gigabyte_raw", gigabyte_raw},
    {"garbage", garbage},
    {"truncated", truncated},
    {"truncated_wait", truncated_wait},
    {"forged", forged},
    {"forged_ready", forged_ready},
    {"endless_log", endless_log},
    {"raw_clone", raw_clone},
    {"make_executable", make_executable},
    {"mask_signals", mask_signals},
    {"stop_itself", stop_itself},
    {"close_socket", close_socket},
    {"second_socket", second_socket},
    {"more_memory", more_memory},
    {"outlive", outlive},
    {"memory_file", memory_file},
    {"shared_memory", shared_memory},
    {"trickle", trickle},
    {"huge_frame", huge_frame},
    {"forged_progress", forged_progress},
    {"deep_answer", deep_answer},
    {"huge_number", huge_number},
    {"noisy_error", noisy_error},
    {"not_json", not_json},
    {"no_text", no_text},
    {"other_record", other_record},
    {"bad_path", bad_path},
    {"unknown_code", unknown_code},
    {"endless_findings", endless_findings},
};

static void* create(const dutybook_host* host, dutybook_text configuration) {
    static int state;
    (void)configuration;
    the_host = host;
    return &state;
}

static void destroy(void* state) {
    (void)state;
}

static int evaluate(void* state, dutybook_text rule, dutybook_text input,
                    const dutybook_sink* sink) {
    size_t i;
    (void)state;
    (void)input;
    for (i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        const size_t size = strlen(deeds[i].name);
        const int twin = rule.size == size + 5 && memcmp(rule.data + size, ".twin", 5) == 0;
        if ((rule.size == size || twin) && memcmp(rule.data, deeds[i].name, size) == 0) {
            char text[64];
            snprintf(text, sizeof text, "began %.*s", (int)rule.size, rule.data);
            say(text);
            return deeds[i].run(sink, !twin);
        }
    }
    return fine(sink); /* of a plugin whose deed is its constructor */
}

static const dutybook_plugin plugin = {
    sizeof(dutybook_plugin), DUTYBOOK_ABI_VERSION, create, destroy, evaluate, NULL, NULL, NULL,
};

const dutybook_plugin* dutybook_plugin_entry(uint32_t worker_abi_version) {
    (void)worker_abi_version;
    return &plugin;
}

#ifdef CONSTRUCTOR
static __attribute__((constructor)) void before_everything(void) {
    raw_frame('G', "began " CONSTRUCTOR, 0);
#ifdef HARM
    if (strcmp(CONSTRUCTOR, "constructor_file") == 0) {
        (void)!open(BOMB, O_WRONLY | O_CREAT, 0600);
        (void)!open(CANARY, O_RDWR);
    }
    if (strcmp(CONSTRUCTOR, "constructor_outlive") == 0) prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
    if (strcmp(CONSTRUCTOR, "constructor_clock") == 0) prctl(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0);
    if (strcmp(CONSTRUCTOR, "constructor_read") == 0) {
        int fd = open(CANARY, O_RDONLY);
        if (fd < 0) abort(); /* refused: that is how it ends */
    }
    if (strcmp(CONSTRUCTOR, "constructor_loop") == 0) spin();
    if (strcmp(CONSTRUCTOR, "constructor_trickle") == 0) {
        unsigned long turns = 0;
        for (;;) /* a sign of life now and then buys no time, nor does one that is the worker's */
            if (++turns % 100000000UL == 0) raw_frame(turns % 200000000UL == 0 ? 'S' : 'G', "", 0);
    }
#endif
}
#endif
