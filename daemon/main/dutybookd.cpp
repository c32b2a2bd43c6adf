#include "app/daemon.h"

int main(int argc, char** argv) {
    return dutybook::app::run_daemon(argc, argv);
}
