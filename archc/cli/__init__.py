"""The command `archc`: a file a command, loaded when it is asked for."""
