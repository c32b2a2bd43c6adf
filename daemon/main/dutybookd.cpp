#include "app/daemon.h"
#include "base/standard_streams.h"

int main(int argc, char** argv) {
    dutybook::fill_standard_streams();
    return dutybook::app::run_daemon(argc, argv);
}
