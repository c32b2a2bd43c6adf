#include "rules/patience.h"

#include <utility>

namespace dutybook::rules {

namespace {

thread_local std::function<bool()> of_this_thread;

}  // namespace

Patience::Patience(std::function<bool()> others_wait) {
    of_this_thread = std::move(others_wait);
}

Patience::~Patience() {
    of_this_thread = nullptr;
}

bool Patience::is_set() {
    return static_cast<bool>(of_this_thread);
}

bool Patience::others_wait() {
    return of_this_thread && of_this_thread();
}

}  // namespace dutybook::rules
