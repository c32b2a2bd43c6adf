#pragma once
// `plugin new`: a runnable plugin with tests, to begin from.

#include "base/result.h"

#include <filesystem>
#include <string>

namespace dutybook::author {

struct NewPlugin {
    std::filesystem::path folder;  // its last part is the plugin's id
    std::string from = "blank";    // blank, or a plugin below `plugins` to copy
    bool native = false;
    std::filesystem::path plugins;  // where the built-in ones and the SDK lie
};
// Refuses a folder that exists and an id that is none.
Result<void> make_plugin(const NewPlugin& wanted);

}  // namespace dutybook::author
