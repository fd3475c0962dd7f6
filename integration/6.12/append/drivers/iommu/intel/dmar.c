
EXPORT_SYMBOL_GPL(qi_submit_sync);
