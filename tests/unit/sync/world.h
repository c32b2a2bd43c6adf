#pragma once
// Two stores and a hub, for tests of contacts.

#include "store_fixture.h"

#include <set>

namespace sync_test {

struct World {
    Folder folder;
    std::string space = make_space();
    fs::path hub = bare(folder.path / "hub.git");
    std::unique_ptr<Store> a = make_store(folder, "a", space);
    std::unique_ptr<Store> b = make_store(folder, "b", space);
};

inline std::set<std::string> refs_of(const fs::path& repository) {
    std::set<std::string> refs;
    const std::string text =
        git({"--git-dir=" + repository.string(), "for-each-ref", "--format=%(refname)"});
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        refs.insert(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return refs;
}

}  // namespace sync_test

#define CHECK_WENT_WELL(...)                                                               \
    do {                                                                                   \
        const auto outcome_ = (__VA_ARGS__);                                               \
        CHECK_MESSAGE(outcome_.ok, (outcome_.error ? outcome_.error->text() : "no word")); \
    } while (false)
