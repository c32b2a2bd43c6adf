#pragma once
// The composition root of dutybookd: builds every part, waits for a signal, takes them down.

namespace dutybook::app {

int run_daemon(int argc, char** argv);

}  // namespace dutybook::app
