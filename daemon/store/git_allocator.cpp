#include "store/git_allocator.h"

#include <cstdlib>
#include <cstring>

namespace dutybook::store::git {
namespace {

bool too_large(std::size_t count, std::size_t size) {
    return size != 0 && count > largest_allocation / size;
}

void* allocate(std::size_t size, const char*, int) {
    return too_large(1, size) ? nullptr : std::malloc(size);
}

void* allocate_zeroed(std::size_t count, std::size_t size, const char*, int) {
    return too_large(count, size) ? nullptr : std::calloc(count, size);
}

void* reallocate(void* held, std::size_t size, const char*, int) {
    return too_large(1, size) ? nullptr : std::realloc(held, size);
}

void* reallocate_array(void* held, std::size_t count, std::size_t size, const char*, int) {
    return too_large(count, size) ? nullptr : std::realloc(held, count * size);
}

void* allocate_array(std::size_t count, std::size_t size, const char*, int) {
    return too_large(count, size) ? nullptr : std::malloc(count * size);
}

char* copy_exactly(const char* text, std::size_t size, const char*, int) {
    if (too_large(1, size + 1)) return nullptr;
    auto* out = static_cast<char*>(std::malloc(size + 1));
    if (out == nullptr) return nullptr;
    std::memcpy(out, text, size);
    out[size] = '\0';
    return out;
}

char* copy(const char* text, const char* file, int line) {
    return copy_exactly(text, std::strlen(text), file, line);
}

char* copy_at_most(const char* text, std::size_t size, const char* file, int line) {
    return copy_exactly(text, strnlen(text, size), file, line);
}

}  // namespace

git_allocator bounded_allocator() {
    git_allocator out{};
    out.gmalloc = allocate;
    out.gcalloc = allocate_zeroed;
    out.gstrdup = copy;
    out.gstrndup = copy_at_most;
    out.gsubstrdup = copy_exactly;
    out.grealloc = reallocate;
    out.greallocarray = reallocate_array;
    out.gmallocarray = allocate_array;
    out.gfree = std::free;
    return out;
}

}  // namespace dutybook::store::git
