#pragma once
// A fuzz target: one function that gives bytes to a parser just as the product does, and checks
// what must hold whatever the bytes are. With libFuzzer (preset `fuzz`) each target is a program of
// its own; in every other build all of them are linked into one test that replays the corpora.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace dutybook::fuzz {

struct Target {
    const char* name;
    void (*run)(std::string_view bytes);
};
inline std::vector<Target>& targets() {
    static std::vector<Target> all;
    return all;
}
inline bool add_target(const char* name, void (*run)(std::string_view)) {
    targets().push_back({name, run});
    return true;
}

// What must hold of any input; ends the program where it does not.
inline void must(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

}  // namespace dutybook::fuzz

#ifdef DUTYBOOK_LIBFUZZER
#define DUTYBOOK_FUZZ_TARGET(name)                                                      \
    static void fuzz_##name(std::string_view bytes);                                    \
    extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
        fuzz_##name({reinterpret_cast<const char*>(data), size});                       \
        return 0;                                                                       \
    }                                                                                   \
    static void fuzz_##name(std::string_view bytes)
#else
#define DUTYBOOK_FUZZ_TARGET(name)                                                   \
    static void fuzz_##name(std::string_view bytes);                                 \
    static const bool added_##name = dutybook::fuzz::add_target(#name, fuzz_##name); \
    static void fuzz_##name(std::string_view bytes)
#endif
