"""What each framework computes in one step, from its own documented equations and array names.

Nothing here knows of lstm_lib, so that it can check `convert_weights`. Each function takes the
framework's arrays w by name, x (B, D), h and c (B, H), and returns the new h and c; c is None
where the cell has none. Sources: those named in `lstm_lib.convert.CONVENTIONS`.
"""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def mix(i, f, g, o, c):
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def pytorch_lstm(w, x, h, c):
    a = x @ w["weight_ih_l0"].T + w["bias_ih_l0"] + h @ w["weight_hh_l0"].T + w["bias_hh_l0"]
    i, f, g, o = np.split(a, 4, axis=1)
    return mix(i, f, g, o, c)


def pytorch_gru(w, x, h, _):
    i_r, i_z, i_n = np.split(x @ w["weight_ih_l0"].T + w["bias_ih_l0"], 3, axis=1)
    h_r, h_z, h_n = np.split(h @ w["weight_hh_l0"].T + w["bias_hh_l0"], 3, axis=1)
    z, n = sigmoid(i_z + h_z), np.tanh(i_n + sigmoid(i_r + h_r) * h_n)
    return (1 - z) * n + z * h, None


def pytorch_rnn(w, x, h, _):
    a = x @ w["weight_ih_l0"].T + w["bias_ih_l0"] + h @ w["weight_hh_l0"].T + w["bias_hh_l0"]
    return np.tanh(a), None


def keras_lstm(w, x, h, c):
    i, f, g, o = np.split(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"], 4, axis=1)
    return mix(i, f, g, o, c)


def keras_gru(w, x, h, _):
    x_z, x_r, x_h = np.split(x @ w["kernel"] + w["bias"][0], 3, axis=1)
    h_z, h_r, h_h = np.split(h @ w["recurrent_kernel"] + w["bias"][1], 3, axis=1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    return z * h + (1 - z) * np.tanh(x_h + r * h_h), None


def keras_rnn(w, x, h, _):
    return np.tanh(x @ w["kernel"] + w["bias"] + h @ w["recurrent_kernel"]), None


def onnx_lstm(w, x, h, c):
    wb, rb = np.split(w["B"][0], 2)
    i, o, f, g = np.split(x @ w["W"][0].T + h @ w["R"][0].T + wb + rb, 4, axis=1)
    return mix(i, f, g, o, c)


def onnx_gru(w, x, h, _):  # linear_before_reset = 1
    wb_z, wb_r, wb_h, rb_z, rb_r, rb_h = np.split(w["B"][0], 6)
    (w_z, w_r, w_h), (r_z, r_r, r_h) = (np.split(w[key][0], 3) for key in "WR")
    z = sigmoid(x @ w_z.T + h @ r_z.T + wb_z + rb_z)
    r = sigmoid(x @ w_r.T + h @ r_r.T + wb_r + rb_r)
    return (1 - z) * np.tanh(x @ w_h.T + r * (h @ r_h.T + rb_h) + wb_h) + z * h, None


def onnx_rnn(w, x, h, _):
    wb, rb = np.split(w["B"][0], 2)
    return np.tanh(x @ w["W"][0].T + h @ w["R"][0].T + wb + rb), None


def haiku_lstm(w, x, h, c):
    i, g, f, o = np.split(np.concatenate([x, h], axis=1) @ w["w"] + w["b"], 4, axis=1)
    return mix(i, f + 1, g, o, c)


def haiku_gru(w, x, h, _):
    x_z, x_r, x_a = np.split(x @ w["w_i"], 3, axis=1)
    (w_z, w_r, w_a), (b_z, b_r, b_a) = np.split(w["w_h"], 3, axis=1), np.split(w["b"], 3)
    z, r = sigmoid(x_z + h @ w_z + b_z), sigmoid(x_r + h @ w_r + b_r)
    return (1 - z) * h + z * np.tanh(x_a + (r * h) @ w_a + b_a), None


def flax_lstm(w, x, h, c):
    sums = {k: x @ w[f"i{k}/kernel"] + h @ w[f"h{k}/kernel"] + w[f"h{k}/bias"] for k in ("ifgo")}
    return mix(sums["i"], sums["f"], sums["g"], sums["o"], c)


def flax_gru(w, x, h, _):
    r = sigmoid(x @ w["ir/kernel"] + w["ir/bias"] + h @ w["hr/kernel"])
    z = sigmoid(x @ w["iz/kernel"] + w["iz/bias"] + h @ w["hz/kernel"])
    n = np.tanh(x @ w["in/kernel"] + w["in/bias"] + r * (h @ w["hn/kernel"] + w["hn/bias"]))
    return (1 - z) * n + z * h, None


def flax_rnn(w, x, h, _):
    return np.tanh(x @ w["i/kernel"] + w["i/bias"] + h @ w["h/kernel"]), None


def haste_lstm(w, x, h, c):
    i, g, f, o = np.split(h @ w["recurrent_kernel"] + x @ w["kernel"] + w["bias"], 4, axis=1)
    return mix(i, f, g, o, c)


def haste_gru(w, x, h, _):
    x_z, x_r, x_g = np.split(x @ w["kernel"] + w["bias"], 3, axis=1)
    h_z, h_r, h_g = np.split(h @ w["recurrent_kernel"] + w["recurrent_bias"], 3, axis=1)
    z = sigmoid(x_z + h_z)
    return z * h + (1 - z) * np.tanh(x_g + sigmoid(x_r + h_r) * h_g), None


def d2l_lstm(w, x, h, c):
    sums = {k: x @ w[f"W_x{k}"] + h @ w[f"W_h{k}"] + w[f"b_{k}"] for k in "ifoc"}
    return mix(sums["i"], sums["f"], sums["c"], sums["o"], c)


def d2l_gru(w, x, h, _):
    z, r = (sigmoid(x @ w[f"W_x{k}"] + h @ w[f"W_h{k}"] + w[f"b_{k}"]) for k in "zr")
    return z * h + (1 - z) * np.tanh(x @ w["W_xh"] + (r * h) @ w["W_hh"] + w["b_h"]), None


def d2l_rnn(w, x, h, _):
    return np.tanh(x @ w["W_xh"] + h @ w["W_hh"] + w["b_h"]), None


def cs231n_lstm(w, x, h, c):
    i, f, o, g = np.split(x @ w["Wx"] + h @ w["Wh"] + w["b"], 4, axis=1)
    return mix(i, f, g, o, c)


def cs231n_rnn(w, x, h, _):
    return np.tanh(x @ w["Wx"] + h @ w["Wh"] + w["b"]), None
