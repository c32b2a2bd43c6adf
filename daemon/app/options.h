#pragma once
// The command line of dutybookd.

#include "base/log.h"

#include <filesystem>
#include <optional>
#include <string>

namespace dutybook::app {

struct Options {
    std::filesystem::path store;
    std::string http = "127.0.0.1:7316";  // empty = off
    std::string group;                    // its members are writers
    std::filesystem::path socket;         // a second socket, for other accounts; empty = none
    LogLevel log = LogLevel::Info;
    bool print_openapi = false;
    bool plain_spaces = false;  // core::BookOptions
};

// Parses; where that ends the program (help, a mistake) `exit_code` is set and all is printed.
struct Parsed {
    Options options;
    std::optional<int> exit_code;
};
Parsed parse_options(int argc, char** argv, const std::string& version);

// Where schemas/ lies: the checkout's beside build/bin, else installed below share/dutybook.
// Empty if nowhere.
std::filesystem::path find_schemas(const std::filesystem::path& program_folder);
// Where the built-in plugins lie: beside the schemas.
std::filesystem::path find_plugins(const std::filesystem::path& schemas);

}  // namespace dutybook::app
