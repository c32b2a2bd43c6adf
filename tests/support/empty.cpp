// bootstrapping
