def write_figures(cells, summary, folder):
    raise NotImplementedError
