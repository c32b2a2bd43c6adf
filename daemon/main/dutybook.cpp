// The client. What people do all day is a client of the API alone and starts in two milliseconds;
// the rest needs the libraries of the store, and of foreign formats, and is handed to the program
// beside it, which knows every command.

#include "base/process.h"
#include "base/standard_streams.h"
#include "cli/run.h"
#include "cli/terminal.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>

using namespace dutybook;

int main(int argc, char** argv) {
    fill_standard_streams();
    // A reader of our output that goes away (`| head`) ends us, as it ends any filter.
    std::signal(SIGPIPE, SIG_DFL);
    std::ios::sync_with_stdio(false);
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const cli::TerminalGuard out(std::cout, STDOUT_FILENO), err(std::cerr, STDERR_FILENO, "\n\t\r");
    if (const auto code = cli::run_everyday(arguments, std::cout, std::cerr)) return *code;
    const std::string tools = program_directory() + "/dutybook-tools";
    ::execv(tools.c_str(), argv);
    std::cerr << "dutybook: " << tools << " cannot be run: " << std::strerror(errno) << "\n";
    return 1;
}
